"""What looks on while a pipeline runs: hooks before, after and around each pass."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


class PassInstrument:
    """Hooks that `run_pipeline` calls; a subclass overrides those that it needs (after TVM's class of that name).

    Instruments are called in the order given before a pass, in the reverse order after it: the last one
    stands nearest to the pass. A hook may raise; the error then ends the pipeline as one of a pass does.
    """

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Called once, before the module is verified for the first time."""

    def should_run(self, each: ModulePass, module: ModuleOp) -> bool:
        """Whether the pass is to be run; one instrument that says no is enough to leave it out."""
        return True

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        """Called before a pass that is to be run."""

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        """Called after a pass that ran, and after the module was verified."""

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Called in place of `after` where the pass, or the verification after it, raised `error`."""

    def before_verification(self, module: ModuleOp) -> None:
        """Called before the module is verified."""

    def after_verification(self, module: ModuleOp) -> None:
        """Called after the module was verified, also where it is wrong."""

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        """Called once at the end; `error` is what ended the pipeline early."""
