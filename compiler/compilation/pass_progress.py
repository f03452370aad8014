"""Reports how far a pipeline of passes has come."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.progress import Progress
from ...passes.instrument import PassInstrument


class PassProgress(PassInstrument):
    """Reports which pass of a pipeline runs, and how many are done."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.done = self.total = 0

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self.done, self.total = 0, len(passes)

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self.progress(f"passes: {each.name}", self.done, self.total)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self.done += 1
        self.progress(f"passes: {each.name}", self.done, self.total)

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        # Passes that another instrument left out are not counted.
        self.progress("passes", self.total, self.total)
