"""Says how far outputs may move where integers are computed after floats.

Integers that no float computation comes before are the same to the bit, whatever the tiles, the cores and the order in
which they run. A float sum depends on the order in which it is added up, within the tolerance that passes declare; an
integer that is rounded from it may then be the next one. So integers after floats may differ by one step of their
scale, and what floats are computed from such integers by the share of its range that a step is of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tpu
from ...dialects.network.ports import port_names
from ...dialects.network.traits import Converts, Moves
from ...dialects.quant.number_format import NumberFormat


@dataclass(frozen=True)
class OutputRounding:
    """How a value is computed: whether floats are computed before it, as far as integers, and it itself, depend on
    them; the step of the integers that it is or was converted from, as a real number, 0 if they are none; and for what
    is computed from integers after floats the share of its range that a step is.
    """

    is_after_floats: bool = False
    step: float = 0.0
    share: float = 0.0

    def allowed(
        self, floats: float, integers: float, reference: np.ndarray, reference_range: float
    ) -> float:
        """Return the largest error of an output if floats may move by the share `floats` of its range, and integers
        that no floats come before by `integers`.
        """
        if not self.is_after_floats:
            return integers * reference_range
        # What holds quantized numbers themselves counts in steps.
        step = 1.0 if self.step and reference.dtype.kind in "iu" else self.step
        return max(max(floats, self.share) * reference_range, step)


def output_roundings(module: ModuleOp) -> dict[str, OutputRounding]:
    """Return how each output of a network at level tpu is computed, by its name."""
    function = next((op for op in module.walk() if isinstance(op, FuncOp)), None)
    if function is None:
        return {}
    known: dict[SSAValue, OutputRounding] = {}
    for op in function.walk():
        for result in op.results:
            known[result] = _rounding(op, result, known)
    returned = next((op for op in function.walk() if isinstance(op, ReturnOp)), None)
    if returned is None:
        return {}
    names = port_names(function, "output")
    return {
        name: known.get(value, OutputRounding())
        for name, value in zip(names, returned.operands, strict=True)
    }


def _rounding(
    op: Operation, result: SSAValue, known: Mapping[SSAValue, OutputRounding]
) -> OutputRounding:
    before = [known.get(operand, OutputRounding()) for operand in op.operands]
    is_after = any(each.is_after_floats for each in before)
    try:
        form = NumberFormat.of(result.type)
    except (DiagnosticError, ValueError):
        return OutputRounding(is_after)
    if not form.is_float:
        # Integers that are not quantized are their own steps.
        step = float(form.scales.max())
        return OutputRounding(is_after, step, _share(form, is_after))
    if not isinstance(op, tpu.TpuOp) or not op.operands:
        return OutputRounding()
    shares = max((each.share for each in before), default=0.0)
    if Moves.holds(op) or Converts.holds(op):
        return OutputRounding(is_after, max((each.step for each in before), default=0.0), shares)
    return OutputRounding(True, 0.0, shares)


def _share(form: NumberFormat, is_after_floats: bool) -> float:
    """Return which share of their range a step of integers is, if they may differ by one."""
    if not is_after_floats or not form.is_quantized:
        return 0.0
    low, high = form.clamp((None, None)) if len(form.scales) == 1 else (-128, 127)
    return 1 / (high - low)


@dataclass(frozen=True)
class Moved:
    """How many of the elements of an output a pass moved by up to one step of integers after floats."""

    pass_name: str
    output: str
    count: int
    elements: int

    def __str__(self) -> str:
        return (
            f"pass '{self.pass_name}' moves {self.count} of the {self.elements} values of output "
            f"'{self.output}' by one step at most: they are integers computed after floats"
        )


def moved(
    pass_name: str,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    roundings: Mapping[str, OutputRounding],
) -> Iterator[Moved]:
    """Return what a pass moved of the outputs that are such integers."""
    for name, reference in expected.items():
        rounding = roundings.get(name)
        if rounding is None or not rounding.is_after_floats or not rounding.step:
            continue
        # What is converted from equal integers is equal.
        count = int(np.count_nonzero(found[name] != reference))
        if count:
            yield Moved(pass_name, name, count, reference.size)
