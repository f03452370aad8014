"""`smalti compare`: compare the outputs and every intermediate tensor of a level with ONNX Runtime, to find where an
error begins.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile
from ..arguments.model import add_compile_arguments, add_shape_arguments, natural, positive, sizes
from ..arguments.ports import add_port_arguments, ports_of
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...compiler.analysis.compare_levels import LevelReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti compare`."""
    parser.add_argument("model", type=InputFile, help="ONNX model")
    parser.add_argument(
        "--level", choices=("top", "tpu", "tile"), default="tpu", help="default: tpu"
    )
    parser.add_argument(
        "--inputs",
        type=InputFile,
        metavar="FILE",
        help=".npz of inputs (default: the calibration data, else random numbers, over the ranges of a "
        "calibration table if one is given)",
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
        help="tensors to print besides the outputs; 0 (the default): all",
    )
    parser.add_argument(
        "--order",
        choices=("worst", "execution"),
        default="worst",
        help="of the tensors that are no outputs: least signal-to-noise ratio first (the default), or as they "
        "are computed",
    )
    parser.add_argument(
        "--min-snr",
        type=float,
        metavar="DB",
        help="exit with 1 if a tensor has a lower signal-to-noise ratio, in dB",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE",
        help="write all tensors as .json or .csv, units in the column names",
    )
    add_port_arguments(parser)
    add_compile_arguments(parser)
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print the table and write it."""
    from ...compiler.analysis.compare_levels import compare_with_onnxruntime
    from ...compiler.compilation.compilation import start_from_model
    from ...compiler.compilation.compile_options import CompileOptions
    from ..console.tables import table_format, write_table

    if args.output:
        table_format(args.output)
    options = CompileOptions(
        args.target,
        args.cores,
        args.quantize,
        args.calibration,
        **ports_of(args),
        qtable=args.qtable,
        scheme=args.scheme,
    )
    with progress_bar() as progress:
        compilation = start_from_model(
            args.model,
            options,
            **sizes(args),
            progress=progress,
        )
        report = compare_with_onnxruntime(
            args.model,
            compilation,
            args.level,
            inputs=args.inputs,
            samples=args.samples,
            constants=dict(args.constant),
        )
    print(report.text(args.order, args.limit or None))
    if args.output:
        write_table(args.output, report.to_json())
        print(f"differences written to {args.output}")
    if args.min_snr is not None:
        _check_least_snr(report, args.min_snr)
    return EXIT_FINE


def _check_least_snr(report: LevelReport, decibels: float) -> None:
    """Raise DiagnosticError if a tensor is noisier than the user allows."""
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place

    # Not `<`: a tensor with NaN has a ratio of NaN.
    low = [each for each in report.differences if not each.snr_db >= decibels]
    if low:
        raise DiagnosticError(
            f"{len(low)} of {len(report.differences)} tensors have a signal-to-noise ratio below "
            f"{decibels:g} dB, the first computed with {low[0].snr_db:.2f} dB",
            Place(name=low[0].name),
            hint="--order execution shows where the noise begins",
        )
