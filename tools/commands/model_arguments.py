"""Arguments that several subcommands take: shapes of a model's inputs, target, cores, quantization, calibration."""

from __future__ import annotations

import argparse

from ...passes.conversion.number_format import QUANTIZE


def positive(text: str) -> int:
    """An argparse type: a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def natural(text: str) -> int:
    """An argparse type: a whole number of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def shape(text: str) -> tuple[str, tuple[int, ...]]:
    """An argparse type: NAME=1,3,224,224."""
    name, equals, sizes = text.rpartition("=")
    try:
        parsed = tuple(int(size) for size in sizes.split(",")) if sizes else ()
    except ValueError:
        parsed = None
    if not equals or not name or parsed is None or any(size < 1 for size in parsed):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=1,3,224,224")
    return name, parsed


def add_shape_arguments(parser: argparse.ArgumentParser) -> None:
    """--input-shape and --batch."""
    parser.add_argument(
        "--input-shape",
        action="append",
        default=[],
        type=shape,
        metavar="NAME=1,3,224,224",
        help="shape of an input, in place of the model's; may be repeated",
    )
    parser.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help="size of axis 0 of every input, in place of the model's",
    )


def input_shapes(args: argparse.Namespace) -> dict[str, tuple[int, ...]]:
    """The shapes given with --input-shape, by input."""
    return dict(args.input_shape)


def add_compile_arguments(parser: argparse.ArgumentParser) -> None:
    """--target, --cores, --quantize and --calibration."""
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help="a target's name (see smalti targets) or TOML file (default: default-8c)",
    )
    parser.add_argument(
        "--cores", type=positive, metavar="N", help="cores to use (default: all of the target's)"
    )
    parser.add_argument("--quantize", choices=QUANTIZE, help="number format (default: int8)")
    parser.add_argument(
        "--calibration",
        metavar="DATA",
        help="for int8: an .npz with arrays named as the model's inputs, or random:SEED",
    )
