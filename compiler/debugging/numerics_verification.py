"""Translation validation: checks that every pass of a pipeline leaves what the IR computes as it is.

Before the first pass and after each one, the IR runs on the same inputs, in the interpreter of its level (isa in the
simulator). The first pass that moves an output beyond the tolerance that it declares ends the pipeline with a
diagnostic: which output, where, by how much, from which value on, and what the pass rewrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...dialects import tile, tpu
from ...dialects.context import SmaltiContext
from ...dialects.ir.location import place_of
from ...dialects.network.traits import Converts, Moves
from ...dialects.quant.element_type import element_storage
from ...passes.instrument import PassInstrument
from ...passes.rewrite_counter import RewriteCounter, counting
from ...passes.smalti_pass import F32_TOLERANCE, SmaltiPass
from ..arrays import read_npz
from ..calibration.samples import seed_of
from ..compilation.pipelines import level_of
from ..execution import run_ir
from .inputs import inputs_for
from .predicate import first_difference
from .recording import record

_SHOWN_REWRITES = 8
_COARSENESS = {"f32": 1, "f64": 1, "f16": 500, "bf16": 4000}
"""By how much a rounding to each type is coarser than one to f32, in practice: a pass's tolerance
is for f32, integers have none."""


class NumericsVerifier(PassInstrument):
    """Runs the IR after every pass on the same inputs, and compares.

    Args:
        source: arrays by input name, an .npz of them, or "random:SEED" (standard normal).
    """

    def __init__(self, source: str | Path | Mapping[str, np.ndarray]) -> None:
        self._known: Mapping[str, np.ndarray] = {}
        self._seed = 0
        if isinstance(source, str) and source.startswith("random:"):
            self._seed = seed_of(source)
        elif isinstance(source, str | Path):
            self._known = read_npz(source)
        else:
            self._known = source
        self._stack = ExitStack()

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        assert isinstance(ctx, SmaltiContext)
        self._ctx = ctx
        self._inputs = inputs_for(module, self._known, self._seed)
        for name, array in self._known.items():
            # More samples than declared, and names that are wrong, are the interpreter's to judge.
            self._inputs[name] = array
        self._expected = run_ir(module, ctx, self._inputs)

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self._before = module.clone()
        self._counter = RewriteCounter()
        self._stack.enter_context(counting(self._counter))

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self._stack.close()
        tolerance = self._tolerance(each)
        found = run_ir(module, self._ctx, self._inputs)
        difference = first_difference(found, self._expected, tolerance)
        if difference is not None:
            raise self._diagnostic(each, module, difference, tolerance)
        self._expected = found

    def _tolerance(self, each: ModulePass) -> float:
        """Return what the pass declares for the coarsest type that the IR before it computes in."""
        coarsest = coarsest_float(self._before)
        if coarsest is None:
            return each.integer_tolerance if isinstance(each, SmaltiPass) else 0.0
        declared = each.tolerance if isinstance(each, SmaltiPass) else F32_TOLERANCE
        return declared * _COARSENESS[coarsest]

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        self._stack.close()

    def _diagnostic(
        self, each: ModulePass, module: ModuleOp, difference: str, tolerance: float
    ) -> DiagnosticError:
        allowed = f"{tolerance:g} of the range" if tolerance else "none"
        notes = [f"the pass declares this tolerance: {allowed}"]
        first = self._first_value(module, tolerance)
        if first is not None:
            notes.append(first)
        done = self._counter.done
        notes += [f"rewrite: {pattern} at {place}" for pattern, place in done[:_SHOWN_REWRITES]]
        if len(done) > _SHOWN_REWRITES:
            notes.append(f"and {len(done) - _SHOWN_REWRITES} more rewrites")
        return DiagnosticError(
            f"the pass changes what is computed: {difference}",
            Place(name=f"pass '{each.name}'"),
            notes,
            "smalti-bisect finds the rewrite, smalti-reduce the ops that it takes",
        )

    def _first_value(self, module: ModuleOp, tolerance: float) -> str | None:
        """Return the first value, in program order, that has the same name before and after and differs."""
        reals = all(level_of(each) in ("top", "tpu") for each in (self._before, module))
        before = record(self._before, self._ctx, self._inputs, real=reals)
        after = record(module, self._ctx, self._inputs, real=reals)
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


def coarsest_float(module: ModuleOp) -> str | None:
    """Return the float type with the fewest bits that any op but casts and moves makes.

    Returns None if all ops compute in integers. top and isa IR count as f32.
    """
    if level_of(module) in ("top", "isa"):
        return "f32"
    made = {_storage_made(op) for op in module.walk()}
    return next((storage for storage in ("bf16", "f16", "f32", "f64") if storage in made), None)


def _storage_made(op: Operation) -> str | None:
    if isinstance(op, tpu.TpuOp):
        gives_what_is_there = not op.operands or Moves.holds(op) or Converts.holds(op)
        return None if gives_what_is_there else element_storage(op.output.type)
    if isinstance(op, tile.CoreOp) and not op.MOVES_ONLY:
        return element_storage(op.buffer_written.type)
    return None
