"""`smalti import`: turn an ONNX model into top IR."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputIr
from ..arguments.model import add_shape_arguments, sizes
from ..console.progress_bar import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti import`."""
    parser.add_argument("model", type=InputFile, help="ONNX model")
    parser.add_argument(
        "-o",
        "--output",
        type=OutputIr,
        required=True,
        metavar="FILE",
        help="IR file to write (.top.mlir)",
    )
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Import the model; write the IR with its weights beside it."""
    from ...compiler.model import import_model

    with progress_bar() as progress:
        model = import_model(args.model, **sizes(args), progress=progress)
    model.save(Path(args.output))
    ops, weights, elements = model.counts()
    print(f"{args.output}: {ops} ops, {weights} weights with {elements:,} elements")
    return EXIT_FINE
