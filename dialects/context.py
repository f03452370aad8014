"""The dialects that Smalti's IR may use, by name, and contexts that know them."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Dialect

from ..backends.diagnostics.diagnostic import DiagnosticError
from .ir.context import SmaltiContext


def _builtin() -> Dialect:
    from xdsl.dialects.builtin import Builtin

    return Builtin


def _func() -> Dialect:
    from xdsl.dialects.func import Func

    return Func


def _quant() -> Dialect:
    from .quant import Quant

    return Quant


def _top() -> Dialect:
    from .top import Top

    return Top


def _tpu() -> Dialect:
    from .tpu import Tpu

    return Tpu


def _tile() -> Dialect:
    from .tile import Tile

    return Tile


def _isa() -> Dialect:
    from .isa import Isa

    return Isa


DIALECTS: dict[str, Callable[[], Dialect]] = {
    "builtin": _builtin,
    "func": _func,
    "quant": _quant,
    "top": _top,
    "tpu": _tpu,
    "tile": _tile,
    "isa": _isa,
}
"""The functions that make the dialects, by name; a dialect is imported only when IR mentions it."""


def register_dialect(name: str, factory: Callable[[], Dialect]) -> None:
    """Add a dialect that contexts from `make_context` know from then on. Raises DiagnosticError if the name is
    taken.
    """
    if name in DIALECTS:
        raise DiagnosticError(f"there is a dialect '{name}' already", hint="choose another name")
    DIALECTS[name] = factory


def make_context() -> SmaltiContext:
    """Return a context with builtin, func and Smalti's dialects (each loaded when first mentioned), and an empty weight
    store.
    """
    ctx = SmaltiContext()
    for name, factory in DIALECTS.items():
        ctx.register_dialect(name, factory)
    # The parser makes builtin types without loading the dialect; load it so that its ops are known.
    ctx.load_registered_dialect("builtin")
    return ctx
