"""Arguments that several subcommands take: shapes of a model's inputs, target, cores, quantization, calibration."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ...compiler.onnx_import.model.limits import ImportLimits, limit_names
from ...passes.top_to_tpu.precision.schemes import QUANTIZE, SCHEMES
from .files import InputFile
from .parser import choice

if TYPE_CHECKING:
    from ...backends.diagnostics.progress import Progress
    from ...compiler.compilation.compilation import Compilation
    from ...compiler.compilation.compile_options import CompileOptions


def positive(text: str) -> int:
    """Parse a whole number of at least 1, as an argparse type."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def natural(text: str) -> int:
    """Parse a whole number of at least 0, as an argparse type."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def cosine(text: str) -> float:
    """Parse a number from 0 to 1, as an argparse type."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Parse NAME=1,3,224,224, as an argparse type."""
    name, equals, sizes = text.rpartition("=")
    try:
        parsed = tuple(int(size) for size in sizes.split(",")) if sizes else ()
    except ValueError:
        parsed = None
    if not equals or not name or parsed is None or any(size < 0 for size in parsed):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=1,3,224,224")
    return name, parsed


def symbol(text: str) -> tuple[str, int]:
    """Parse NAME=N, as an argparse type."""
    name, equals, size = text.rpartition("=")
    if not equals or not name or not (size.isascii() and size.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=N")
    return name, int(size)


def constant(text: str) -> tuple[str, object]:
    """Parse NAME=VALUE, as an argparse type: a number, true or false, numbers with commas, or nested lists of JSON."""
    name, equals, value = text.rpartition("=")
    lists = value if value.lstrip().startswith("[") or "," not in value else f"[{value}]"
    try:
        parsed = json.loads(lists)
    except ValueError:
        parsed = None
    if not equals or not name or not isinstance(parsed, int | float | list):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not of the form NAME=16000, NAME=true or NAME=1,2,3"
        )
    return name, parsed


class SizeArguments(TypedDict):
    """The sizes and values of inputs and the limits that the arguments give, as `start_from_model` takes them."""

    batch: int | None
    input_shapes: dict[str, tuple[int, ...]]
    symbols: dict[str, int]
    constants: dict[str, Any]
    limits: ImportLimits | None


def add_shape_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --input-shape, --batch, --define-symbol, --constant and --import-limit."""
    parser.add_argument(
        "--input-shape",
        action="append",
        default=[],
        type=shape,
        metavar="NAME=1,3,224,224",
        help="shape of an input, in place of the model's; may be repeated. An initializer that is an input too is fed "
        "then",
    )
    parser.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help="size of axis 0 of every input, in place of the model's; in inputs that have the batch's name at another "
        "axis, of that one",
    )
    parser.add_argument(
        "--define-symbol",
        action="append",
        default=[],
        type=symbol,
        metavar="NAME=N",
        help="size of the dimensions that the model calls NAME; may be repeated",
    )
    parser.add_argument(
        "--constant",
        action="append",
        default=[],
        type=constant,
        metavar="NAME=VALUE",
        help="make an input a constant: a number, true or false, or a list (1,2,3); may be repeated",
    )
    parser.add_argument(
        "--import-limit",
        action="append",
        default=[],
        type=limit,
        metavar="NAME=N",
        help="how much work or memory the import may take on the word of the model: "
        f"{', '.join(limit_names())}; may be repeated",
    )


def sizes(args: argparse.Namespace) -> SizeArguments:
    """Return the sizes and values that these arguments give."""
    return {
        "batch": args.batch,
        "input_shapes": dict(args.input_shape),
        "symbols": dict(args.define_symbol),
        "constants": dict(args.constant),
        "limits": ImportLimits().raised(dict(args.import_limit)) if args.import_limit else None,
    }


def started(
    args: argparse.Namespace, source: Path, options: CompileOptions, progress: Progress
) -> Compilation:
    """Return the start of a compilation of a model, with the sizes that `add_shape_arguments` gives, or of IR.

    Raises DiagnosticError if the file cannot be read or imported, or if sizes are given for IR.
    """
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...compiler.compilation.compilation import start_from_ir, start_from_model

    given = sizes(args)
    if source.suffix != ".mlir":
        return start_from_model(source, options, **given, progress=progress)
    if any(given.values()):
        raise DiagnosticError(
            "--batch, --input-shape, --constant, --define-symbol and --import-limit are for ONNX models, "
            "IR has its shapes already",
            Place(file=str(source)),
            hint="import the model again with them",
        )
    return start_from_ir(source, options, progress=progress)


def limit(text: str) -> tuple[str, int]:
    """Parse NAME=N, as an argparse type."""
    name, _, value = text.partition("=")
    choice(name, limit_names())
    if not (value.isascii() and value.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=N")
    return name, int(value)


def add_compile_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --target, --cores, --quantize, --scheme, --qtable and --calibration."""
    parser.add_argument(
        "--target",
        type=InputFile,
        metavar="TARGET",
        help="a target's name (see smalti targets) or TOML file (default: default-8c)",
    )
    parser.add_argument(
        "--cores", type=positive, metavar="N", help="cores to use (default: all of the target's)"
    )
    parser.add_argument("--quantize", choices=QUANTIZE, help="number format (default: int8)")
    parser.add_argument(
        "--scheme",
        type=partial(choice, known=tuple(SCHEMES)),
        metavar="NAME",
        help=f"how numbers are quantized, instead of --quantize: {', '.join(SCHEMES)}",
    )
    parser.add_argument(
        "--qtable",
        type=InputFile,
        metavar="FILE",
        help="give some layers another scheme: NAME SCHEME in each line, a layer's result or a glob of them; "
        "later lines win",
    )
    parser.add_argument(
        "--calibration",
        type=InputFile,
        metavar="DATA",
        help="for int8: an .npz with arrays named as the model's inputs, a calibration table as "
        "smalti calibrate writes it, of a folder of images too, or random:SEED",
    )
