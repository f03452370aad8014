"""Lets only the first rewrites of a run happen, as LLVM's debug counters do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from ...passes.rewrite_counter import RewriteCounter, counting


class RewriteLimit(PassInstrument):
    """Stops the pattern driver after `limit` rewrites, counted over all passes."""

    def __init__(self, limit: int) -> None:
        self._counter = RewriteCounter(limit)
        self._stack = ExitStack()

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._stack.enter_context(counting(self._counter))

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        self._stack.close()
