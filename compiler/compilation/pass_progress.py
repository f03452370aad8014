"""Reports how far a pipeline of passes has come."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.progress import Progress
from ...passes.instrument import PassInstrument


class PassProgress(PassInstrument):
    """Reports how many passes of a pipeline are done; `what` is the pipeline's name."""

    def __init__(self, progress: Progress, what: str) -> None:
        self.progress, self.what = progress, what
        self.done = self.total = 0

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self.total = len(passes)
        self.progress(self.what, 0, self.total)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self.done += 1
        self.progress(self.what, self.done, self.total)
