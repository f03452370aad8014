"""The context that IR is read in: the dialects that it may use, and the weight store that goes with it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from xdsl.context import Context
from xdsl.ir import Dialect

from ..backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from .ir.weights import WeightStore


class SmaltiContext(Context):
    """xDSL's context plus the store of the weights that the IR names by key."""

    weights: WeightStore
    on_report: Callable[[Diagnostic], None]

    def __init__(self) -> None:
        super().__init__()
        self.weights = WeightStore()
        self.on_report = print_diagnostic

    def clone(self) -> SmaltiContext:
        """Return a context with the same dialects that shares the weight store."""
        copy = SmaltiContext()
        copy.weights = self.weights
        copy.on_report = self.on_report
        copy.allow_unregistered = self.allow_unregistered
        copy._loaded_dialects = self._loaded_dialects.copy()
        copy._loaded_ops = self._loaded_ops.copy()
        copy._loaded_attrs = self._loaded_attrs.copy()
        copy._loaded_types = self._loaded_types.copy()
        copy._registered_dialects = self._registered_dialects.copy()
        return copy

    def fork(self) -> SmaltiContext:
        """Return a clone with a weight store of its own that holds the same tensors: a tensor added to one store is not
        in the other.
        """
        copy = self.clone()
        copy.weights = self.weights.fork()
        return copy


def print_diagnostic(diagnostic: Diagnostic) -> None:
    """Write a diagnostic to standard error."""
    print(diagnostic, file=sys.stderr)


def report(ctx: Context, diagnostic: Diagnostic) -> None:
    """Pass a warning or a remark to whoever runs the passes: to `ctx.on_report` if that is set, else to
    standard error.
    """
    handler = ctx.on_report if isinstance(ctx, SmaltiContext) else print_diagnostic
    handler(diagnostic)


def weights_of(ctx: Context) -> WeightStore:
    """Return the weight store of a context. A context that xDSL made, such as that of xdsl-opt, gets an empty store at
    the first call.
    """
    if isinstance(ctx, SmaltiContext):
        return ctx.weights
    return vars(ctx).setdefault("weights", WeightStore())


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
