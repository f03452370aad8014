"""`smalti export`: turn top IR into an ONNX model."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti export`."""
    parser.add_argument("ir", type=InputFile, help="IR file of level top (.top.mlir)")
    parser.add_argument(
        "-o",
        "--output",
        type=OutputModel,
        required=True,
        metavar="FILE",
        help="ONNX model to write (.onnx)",
    )
    parser.add_argument(
        "--external-data",
        action="store_true",
        help="write the weights to a file of their own, FILE.data, as is done for 2 GiB or more",
    )


def run(args: argparse.Namespace) -> int:
    """Export the network, and write the model with its weights inside or beside it."""
    from ...compiler.model import export_model

    model = export_model(str(args.ir), Path(args.output), external_data=args.external_data)
    nodes, weights = model.counts()
    print(f"{args.output}: {nodes} nodes of opset {model.opset}, {weights} initializers")
    return EXIT_FINE
