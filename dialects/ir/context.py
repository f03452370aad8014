"""The context that IR is read in: the dialects that are loaded, and the weight store that goes with it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from xdsl.context import Context

from ...backends.diagnostics.diagnostic import Diagnostic
from .weights import WeightStore


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
