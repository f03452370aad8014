"""The pipelines: which passes take IR from one level to the next, as the text that `smalti-opt` reads."""

from __future__ import annotations

import re
from typing import Literal, TypedDict, get_args

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp

from ..dialects.diagnostic import DiagnosticError
from ..dialects.machine import target_name_of

Level = Literal["top", "tpu", "tile", "isa"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The levels that have IR, highest first; below them is the program file."""


_QUOTABLE = re.compile(r'[^"\\\n\r]*')


class Settings(TypedDict):
    """What the passes of a pipeline depend on: the target, the number format, and the number of cores (None: all)."""

    target: str
    quantize: str
    cores: int | None


def level_of(module: ModuleOp) -> Level:
    """The lowest level that the module's ops belong to; casts and functions belong to none.

    A function without ops (a network whose outputs are its inputs) is tpu IR where the module names a target.

    Raises:
        DiagnosticError: the module holds nothing of Smalti.
    """
    found = {op.name.partition(".")[0] for op in module.ops}
    for op in module.ops:
        if isinstance(op, func.FuncOp):
            found.update(inner.name.partition(".")[0] for inner in op.body.ops)
    levels: list[Level] = [level for level in LEVELS if level in found]
    if not levels and "func" in found:
        return "top" if target_name_of(module) is None else "tpu"
    if not levels:
        raise DiagnosticError(
            "the module holds no op of top, tpu, tile or isa",
            hint="give a file that smalti wrote, or a func.func of top ops",
        )
    return levels[-1]


def _option(name: str, value: str | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and not _QUOTABLE.fullmatch(value):
        raise DiagnosticError(
            f"the {name} {value!r} has a character that the text of a pipeline cannot hold",
            hint="rename the file or folder: no quotation marks, backslashes or line breaks",
        )
    return f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}"


def _options(**values: str | int | None) -> str:
    texts = [_option(name.replace("_", "-"), value) for name, value in values.items()]
    present = " ".join(text for text in texts if text)
    return f"{{{present}}}" if present else ""


def pass_text(name: str, **options: str | int | None) -> str:
    """A pass with options (None: left out) as pipeline text; DiagnosticError for a value that text cannot hold."""
    return name + _options(**options)


def passes_of(level: Level, *, target: str, quantize: str, cores: int | None = None) -> list[str]:
    """The passes that work within a level, in order, each as pipeline text.

    They do nothing to IR that they have been run on before, so IR edited by hand may stand before any of them.

    Args:
        level: the level.
        target: what `load_target` takes.
        quantize: one of `QUANTIZE`.
        cores: how many of the target's cores to use; None for all.
    """
    within: dict[Level, list[str]] = {
        "top": [
            "top-fold-shapes",
            "top-fold-movement",
            "top-fold-batch-norm",
            "canonicalize",
            "cse",
        ],
        "tpu": ["tpu-fuse-activation", "tpu-fuse-residual", "tpu-fuse-activation", "canonicalize", "cse"],
        "tile": [
            f"tile-split-over-cores{_options(cores=cores)}",
            "tile-cut-to-local-memory",
            "tile-order-engines",
            "tile-assign-addresses",
        ],
        "isa": [],
    }  # fmt: skip
    return within[level]


def passes_into(level: Level, *, target: str, quantize: str, cores: int | None = None) -> list[str]:
    """The passes from the level above into `level` and through it, each as pipeline text; arguments as `passes_of`."""
    enter: dict[Level, str] = {
        "tpu": f"convert-top-to-tpu{_options(target=target, quantize=quantize)}",
        "tile": "convert-tpu-to-tile",
        "isa": "convert-tile-to-isa",
    }
    return [enter[level], *passes_of(level, target=target, quantize=quantize, cores=cores)]
