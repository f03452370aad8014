"""`smalti calibrate`: find where the tensors of a network saturate in 8 bits, and write that as a table."""

from __future__ import annotations

import argparse
from dataclasses import replace
from math import isfinite
from pathlib import Path

from ...compiler.calibration.clipping.method import DEFAULT_METHOD, METHODS
from ...compiler.inputs.images import LAYOUTS, ORDERS, Preprocessing
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile, check_files
from ..arguments.model import add_shape_arguments, positive, started
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
        "-o",
        "--output",
        type=OutputFile,
        required=True,
        metavar="FILE",
        help="calibration table to write (.calibration)",
    )
    _add_image_arguments(parser)
    add_shape_arguments(parser)


def _add_image_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is done to images: --resize, --crop, --mean, --scale, --layout, --channel-order, and --skip-bad."""
    group = parser.add_argument_group(
        "images",
        "the network is fed (pixel - mean) * scale, pixels being 0 to 255; the model's metadata say what is left out",
    )
    group.add_argument(
        "--resize", type=size, metavar="H,W", help="resize to this (default: the input's)"
    )
    group.add_argument("--crop", type=size, metavar="H,W", help="keep the middle after resizing")
    group.add_argument(
        "--mean", type=numbers, metavar="X[,X,X]", help="for all channels or each (default: 0)"
    )
    group.add_argument(
        "--scale", type=numbers, metavar="X[,X,X]", help="for all channels or each (default: 1)"
    )
    group.add_argument("--layout", choices=LAYOUTS, help="default: the one that fits the input")
    group.add_argument("--channel-order", choices=ORDERS, help="default: rgb")
    group.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave images out that cannot be read, with a warning",
    )


def size(text: str) -> tuple[int, int]:
    """Parse H,W, as an argparse type."""
    sizes = tuple(map(positive, text.split(",")))
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form H,W")
    return sizes


def numbers(text: str) -> tuple[float, ...]:
    """Parse finite numbers with commas between them, as an argparse type."""
    values = tuple(map(float, text.split(",")))
    if not all(map(isfinite, values)):
        raise argparse.ArgumentTypeError(f"'{text}' has a number that is not finite")
    return values


def run(args: argparse.Namespace) -> int:
    """Calibrate, and write the table."""
    from ...compiler.calibration.clipping.method import method_named
    from ...compiler.compilation.compilation import CompileOptions
    from ...compiler.model_calibration import calibrated
    from ...passes.top.calibration_table import write_table

    check_files(args)
    method_named(args.method)
    with progress_bar() as progress:
        compilation = started(args, Path(args.input), CompileOptions(), progress)
        table = calibrated(
            compilation, args.data, args.method, _preprocessing(args), skip_bad=args.skip_bad
        )
    write_table(table, args.output)
    print(f"{args.output}: {len(table.rows)} tensors by {args.method}")
    return EXIT_FINE


def _preprocessing(args: argparse.Namespace) -> Preprocessing:
    """Return what the arguments ask for, and where they say nothing, the model's metadata."""
    from ...compiler.model_calibration import metadata_of

    given = {
        "resize": args.resize,
        "crop": args.crop,
        "mean": args.mean,
        "scale": args.scale,
        "order": args.channel_order,
        "layout": args.layout,
    }
    known = Preprocessing().of_metadata(metadata_of(args.input, args.data))
    return replace(known, **{name: each for name, each in given.items() if each is not None})
