"""Arguments about images: what is done to them before a network is fed with them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from math import isfinite

from ...compiler.inputs.images import LAYOUTS, ORDERS, Preprocessing
from .model import positive


def add_image_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is done to images: --resize, --crop, --mean, --scale, --layout, --channel-order, and --skip-bad."""
    group = parser.add_argument_group(
        "images",
        "the network is fed (pixel - mean) * scale, pixels being 0 to 255; the model's metadata say what is left out",
    )
    group.add_argument(
        "--resize",
        type=size,
        metavar="H,W",
        help="resize to this (default: the input's size; with --crop, images keep their own)",
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


def preprocessing_of(args: argparse.Namespace, model: str) -> Preprocessing:
    """Return what the arguments ask for, and where they say nothing, the metadata of the model."""
    from ...compiler.calibration.image_data import metadata_of

    given = {
        "resize": args.resize,
        "crop": args.crop,
        "mean": args.mean,
        "scale": args.scale,
        "order": args.channel_order,
        "layout": args.layout,
    }
    known = Preprocessing().of_metadata(metadata_of(model, args.data))
    return replace(known, **{name: each for name, each in given.items() if each is not None})
