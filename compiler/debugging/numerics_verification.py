"""Translation validation: checks that every pass of a pipeline leaves what the IR computes as it is.

Before the first pass and after each one, the IR runs on the same inputs, in the interpreter of its level (isa in the
simulator). The first pass that moves an output beyond the tolerance that it declares ends the pipeline with a
diagnostic: which output, where, by how much, from which value on, and what the pass rewrote. So does the first pass
after which the IR no longer runs. Integers that are computed after floats may differ by one step
(`output_rounding.py`): how many do is told as a remark at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Note, Place
from ...dialects.ir.context import SmaltiContext, report
from ...dialects.ir.location import place_of
from ...dialects.level import NETWORK_LEVELS
from ...passes.instrument import PassInstrument
from ...passes.rewrite_counter import RewriteCounter, counting
from ..compilation.pipelines import level_of
from .inputs import InputSource
from .numerics_trial import NumericsFault, NumericsTrial, first_difference
from .recording import record

_SHOWN_REWRITES = 8


class NumericsVerifier(PassInstrument):
    """Runs the IR after every pass on the same inputs, and compares.

    Args:
        source: arrays by input name, an .npz of them, or "random:SEED".
    """

    def __init__(self, source: str | Path | Mapping[str, np.ndarray]) -> None:
        self._source = replace(InputSource.of(source), is_strict=True)
        self._stack = ExitStack()

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        assert isinstance(ctx, SmaltiContext)
        self._ctx = ctx
        self._trial = NumericsTrial(module, ctx, self._source)

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self._before = module.clone()
        self._trial.before(each, module)
        self._counter = RewriteCounter()
        self._stack.enter_context(counting(self._counter))

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self._stack.close()
        fault = self._trial.after(each, module)
        if fault is not None:
            raise self._diagnostic(each, module, fault) from fault.error

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        self._stack.close()

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        for each in () if error is not None else self._trial.moved:
            report(self._ctx, Diagnostic("remark", str(each)))

    def _diagnostic(
        self, each: ModulePass, module: ModuleOp, fault: NumericsFault
    ) -> DiagnosticError:
        notes: list[str | Note] = []
        if fault.kind == "numbers":
            message = f"the pass changes what is computed: {fault.message}"
            tolerance = self._trial.allowed
            allowed = f"{tolerance:g} of the range" if tolerance else "none"
            notes.append(f"the pass declares this tolerance: {allowed}")
            first = self._first_value(module, fault.inputs, tolerance)
            if first is not None:
                notes.append(first)
        else:
            message = f"the IR ran before the pass and no longer does: {fault.message}"
            notes += fault.details()
        done = self._counter.done
        notes += [f"rewrite: {pattern} at {place}" for pattern, place in done[:_SHOWN_REWRITES]]
        if len(done) > _SHOWN_REWRITES:
            notes.append(f"and {len(done) - _SHOWN_REWRITES} more rewrites")
        return DiagnosticError(
            message,
            Place(name=f"pass '{each.name}'"),
            notes,
            "smalti-bisect finds the rewrite, smalti-reduce the ops that it takes",
        )

    def _first_value(
        self, module: ModuleOp, inputs: Mapping[str, np.ndarray], tolerance: float
    ) -> str | None:
        """Return the first value, in program order, that has the same name before and after and differs."""
        reals = all(level_of(each) in NETWORK_LEVELS for each in (self._before, module))
        before = record(self._before, self._ctx, inputs, real=reals)
        after = record(module, self._ctx, inputs, real=reals)
        for name, value in after.items():
            reference = before.get(name)
            if reference is None or reference.shape != value.shape:
                continue
            if first_difference({name: value}, {name: reference}, tolerance) is not None:
                error = np.abs(value.astype(np.float64) - reference.astype(np.float64)).max()
                return f"the first value that differs is '{name}'{_place(module, name)}, by {error:.6g}"
        return None


def _place(module: ModuleOp, name: str) -> str:
    for op in module.walk():
        found = op.properties.get("name") or op.properties.get("origin")
        if isinstance(found, StringAttr) and found.data == name:
            return f" ({place_of(op)})"
    return ""
