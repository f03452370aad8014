"""Arguments of commands that judge quantized networks by their outputs: what they are made of, and the judge."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .files import InputFile
from .images import add_image_arguments, preprocessing_of
from .model import positive

if TYPE_CHECKING:
    import numpy as np
    from xdsl.dialects.builtin import ModuleOp

    from ...compiler.sensitivity.quality import Judge
    from ...dialects.ir.context import SmaltiContext


def add_quality_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the data, and what the outputs are judged by."""
    parser.add_argument("model", type=InputFile, help="ONNX model, or IR of level top (.top.mlir)")
    parser.add_argument(
        "--calibration",
        type=InputFile,
        required=True,
        metavar="TABLE",
        help="calibration table, as smalti calibrate writes it",
    )
    parser.add_argument(
        "--data",
        type=InputFile,
        required=True,
        metavar="DATA",
        help="calibration data, as smalti calibrate takes them; never what a model is tested on",
    )
    parser.add_argument(
        "--target",
        type=InputFile,
        default="default-8c",
        metavar="TARGET",
        help="a target's name (see smalti targets) or TOML file (default: default-8c)",
    )
    parser.add_argument(
        "--inference-num",
        type=positive,
        default=30,
        metavar="N",
        help="samples that outputs are compared on (default: 30)",
    )
    parser.add_argument(
        "--metric",
        metavar="MODULE:FUNCTION",
        help="function of your own (or file.py:function): it gets the outputs in floats and the quantized ones, by "
        "name, and returns a number, the greater the better; layers are ranked by it",
    )
    parser.add_argument(
        "--post-process",
        type=InputFile,
        metavar="FILE",
        help="file of Python with a PostProcess, as TPU-MLIR has it: it gets the outputs of a sample by name, and "
        "cosines are those of what it returns",
    )
    add_image_arguments(parser)


def samples_of(
    args: argparse.Namespace, module: ModuleOp, ctx: SmaltiContext
) -> dict[str, np.ndarray]:
    """Return the samples of --data by input name. Raises DiagnosticError if they do not fit the network."""
    from ...compiler.sensitivity.sensitivity_data import load_samples

    preprocessing = preprocessing_of(args, args.model)
    return load_samples(args.data, module, ctx, preprocessing, skip_bad=args.skip_bad)


def checked_judge(args: argparse.Namespace) -> Judge:
    """Return what judges outputs. Raises DiagnosticError if its functions cannot be imported, or if --plot names a
    picture that cannot be drawn.
    """
    from ...compiler.sensitivity.quality import Judge

    if args.plot:
        from ...compiler.pictures.figures import check_plot

        check_plot(args.plot)
    judge = Judge(args.metric, args.post_process)
    judge.check()
    return judge
