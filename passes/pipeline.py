"""Runs a pipeline over a module: verifies between passes, and calls instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..backends.diagnostics.diagnostic import DiagnosticError, contained
from ..dialects.ir.text.module_text import current_operation
from ..dialects.ir.text.module_text import verify as verify_module
from ..dialects.ir.verifier import Verifier
from .instrument import PassInstrument


def run_pipeline(
    ctx: Context,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    *,
    verify: bool = True,
    instruments: Sequence[PassInstrument] = (),
    verifier: Verifier | None = None,
) -> None:
    """Run `passes` over `module` in place, verifying it before the first pass and after each unless `verify` is False.

    `verifier` is the one of earlier pipelines over this module, which knows what has not changed since. Raises
    DiagnosticError if a pass refuses its input, or if the module does not verify; a note then names the pass after
    which it did not. A Python error that a pass raises is passed on with a note (`__notes__`) that names the pass; what
    would end the program, such as SystemExit, becomes a DiagnosticError.
    """
    run = _Run(tuple(instruments), (verifier or Verifier()) if verify else None)
    error: BaseException | None = None
    for instrument in run.instruments:
        instrument.enter(ctx, module, passes)
    try:
        with contained("in the verifier before the first pass"):
            run.verify(module)
        for each in passes:
            run.apply(each, ctx, module)
    except BaseException as raised:
        error = raised
        raise
    finally:
        for instrument in reversed(run.instruments):
            instrument.leave(module, error)


@dataclass(frozen=True)
class _Run:
    """What the passes of one pipeline share while it runs."""

    instruments: tuple[PassInstrument, ...]
    verifier: Verifier | None

    def verify(self, module: ModuleOp) -> None:
        """Verify the module, if that is asked for."""
        if self.verifier is None:
            return
        for instrument in self.instruments:
            instrument.before_verification(module)
        try:
            verify_module(module, verifier=self.verifier)
        finally:
            for instrument in reversed(self.instruments):
                instrument.after_verification(module)

    def apply(self, each: ModulePass, ctx: Context, module: ModuleOp) -> None:
        """Run a pass, verify what it left behind, and call the instruments around both."""
        if not all(instrument.should_run(each, module) for instrument in self.instruments):
            return
        for instrument in self.instruments:
            instrument.before(each, module)
        try:
            _apply_with_notes(each, ctx, module)
            with contained(f"in the verifier after pass '{each.name}'"):
                self._verify_after(each, module)
        except BaseException as error:
            for instrument in reversed(self.instruments):
                instrument.failed(each, module, error)
            raise
        for instrument in reversed(self.instruments):
            instrument.after(each, module)

    def _verify_after(self, each: ModulePass, module: ModuleOp) -> None:
        """Verify what a pass left behind; an error names that pass."""
        try:
            self.verify(module)
        except DiagnosticError as error:
            note = f"after pass '{each.name}', which should not have made such IR"
            error.notes = [*error.notes, note]
            raise


def _apply_with_notes(each: ModulePass, ctx: Context, module: ModuleOp) -> None:
    """Apply a pass; an error that it raises gets a note about the operation or the pass."""
    try:
        with contained(f"in pass '{each.name}'"):
            each.apply(ctx, module)
    except DiagnosticError as error:
        wrong = error.place.op if error.place is not None else None
        if isinstance(wrong, Operation) and wrong.parent is not None:
            error.notes = [*error.notes, current_operation(wrong)]
        raise
