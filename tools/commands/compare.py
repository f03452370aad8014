"""`smalti compare`: every intermediate tensor of a level against ONNX Runtime, worst first: where is the error from?"""

from __future__ import annotations

import argparse

from ..command_line import EXIT_FINE
from ..progress_bar import progress_bar
from .model_arguments import (
    add_compile_arguments,
    add_shape_arguments,
    natural,
    positive,
    sizes,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `smalti compare`."""
    parser.add_argument("model", help="ONNX model")
    parser.add_argument(
        "--level", choices=("top", "tpu", "tile"), default="tpu", help="default: tpu"
    )
    parser.add_argument(
        "--inputs",
        metavar="FILE",
        help=".npz of inputs (default: the calibration data, else random numbers, seed 0)",
    )
    parser.add_argument(
        "--samples",
        type=positive,
        default=8,
        metavar="N",
        help="samples to compare on (default: 8)",
    )
    parser.add_argument(
        "--limit",
        type=natural,
        default=0,
        metavar="N",
        help="tensors to print; 0 (the default): all",
    )
    add_compile_arguments(parser)
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    from ...compiler.compare_levels import compare_with_onnxruntime
    from ...compiler.comparison import format_differences
    from ...compiler.compilation import CompileOptions, start_from_model

    options = CompileOptions(args.target, args.cores, args.quantize, args.calibration)
    with progress_bar() as progress:
        compilation = start_from_model(
            args.model,
            options,
            **sizes(args),
            progress=progress,
        )
        report = compare_with_onnxruntime(
            args.model, compilation, args.level, inputs=args.inputs, samples=args.samples
        )
    print(format_differences(report.differences, args.limit or None))
    if report.missing:
        print(f"not values of this level (folded or fused): {', '.join(report.missing)}")
    return EXIT_FINE
