"""`smalti calibrate`: find where the tensors of a network saturate in 8 bits, and write that as a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...compiler.calibration.clipping.method import DEFAULT_METHOD, METHODS
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile, check_files
from ..arguments.images import add_image_arguments, preprocessing_of
from ..arguments.model import add_shape_arguments, started
from ..console.progress_bar import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti calibrate`."""
    parser.add_argument(
        "input", type=InputFile, help="ONNX model (.onnx), or IR of level top (.top.mlir)"
    )
    parser.add_argument(
        "--data",
        type=InputFile,
        required=True,
        metavar="DATA",
        help="samples: an .npz with arrays named as the model's inputs, an .npy, random:SEED, a folder of images, or a "
        "text file with the path of an image in each line",
    )
    parser.add_argument(
        "--method",
        default=DEFAULT_METHOD,
        metavar="METHOD",
        help="; ".join(f"{name}: {what}" for name, what in METHODS.items()).replace("%", "%%"),
    )
    parser.add_argument(
        "--four-bits",
        metavar="METHOD",
        help="the method for tensors where they have 4 bits, as scheme w4a4 reads them, such as mse-i4: section "
        "#int4_th of the table (default: their ranges are those of 8 bits)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        required=True,
        metavar="FILE",
        help="calibration table to write (.calibration)",
    )
    add_image_arguments(parser)
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate, and write the table."""
    from ...compiler.calibration.clipping.method import method_named
    from ...compiler.compilation.compile_options import CompileOptions
    from ...compiler.model_calibration import calibrated
    from ...passes.top.calibration_table import write_table

    check_files(args)
    for name in (args.method, args.four_bits):
        if name is not None:
            method_named(name)
    with progress_bar() as progress:
        compilation = started(args, Path(args.input), CompileOptions(), progress)
        table = calibrated(
            compilation,
            args.data,
            args.method,
            preprocessing_of(args, args.input),
            skip_bad=args.skip_bad,
            four_bits=args.four_bits,
        )
    write_table(table, args.output)
    print(f"{args.output}: {len(table.rows)} tensors by {args.method}")
    return EXIT_FINE
