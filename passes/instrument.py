"""Instruments, which observe a pipeline while it runs: hooks before, after and around each pass."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


class PassInstrument:
    """Hooks that `run_pipeline` calls; a subclass overrides those that it needs (after TVM's class of that name).

    Instruments are called in the order given before a pass, and in the reverse order after it, so that the last one
    stands nearest to the pass. If a hook raises an error, it ends the pipeline as an error of a pass does.
    """

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Take note that the pipeline begins; called once, before the module is verified for the first time."""

    def should_run(self, each: ModulePass, module: ModuleOp) -> bool:
        """Tell whether the pass is to be run; it is left out if any instrument says no."""
        return True

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        """Take note that a pass is about to run."""

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        """Take note that a pass has run, and that the module was verified after it."""

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Take note that the pass, or the verification after it, raised `error`; called in place of `after`."""

    def before_verification(self, module: ModuleOp) -> None:
        """Take note that the module is about to be verified."""

    def after_verification(self, module: ModuleOp) -> None:
        """Take note that the module was verified, whether it is right or wrong."""

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        """Take note that the pipeline has ended; called once. `error` is what ended it early, if anything did."""
