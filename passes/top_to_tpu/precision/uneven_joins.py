"""Finds concats of tensors whose calibrated ranges are so different that one 8-bit scale would hide some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from math import floor, log2, prod

from xdsl.ir import Operation, SSAValue

from ....backends.diagnostics.diagnostic import Diagnostic
from ....backends.numerics.quantization import activation_parameters
from ....dialects.ir.location import place_of
from ....dialects.network.traits import CanStayFloat, FixedQuantization, Moves
from ....dialects.quant import CalibratedType
from ....dialects.quant.element_type import element_of, shape_of

MOST_RATIO = 32
"""How much wider a result's range may be than an operand's, which is then left with 8 of 256 steps."""


def uneven_joins(ops: Iterable[Operation]) -> dict[SSAValue, Operation]:
    """Return the results of such concats among `ops` (of one block, in order), each with the concat, and what is made
    of them as long as one scale would hide a part: by moves of all elements, or by ops that can compute in floats.
    """
    found: dict[SSAValue, Operation] = {}
    for op in ops:
        if Moves.holds(op) and hidden_operands(op):
            found[op.results[0]] = op
            continue
        join = next((found[value] for value in op.operands if value in found), None)
        if join is not None and _hides_parts(op, join):
            found[op.results[0]] = join
    return found


def _hides_parts(op: Operation, join: Operation) -> bool:
    """Tell whether one scale for the result of `op`, which reads what `join` joins, would hide a part of that, too."""
    if Moves.holds(op):
        return not is_part(op)
    if not CanStayFloat.holds(op):
        return False
    ratios = [range_ratio(op.results[0], value) for value in hidden_operands(join)]
    return any(ratio is not None and ratio > MOST_RATIO for ratio in ratios)


def hidden_operands(op: Operation) -> dict[SSAValue, float]:
    """Return the computed operands of which the result's 8 bits would leave few steps, each with the ratio of the
    ranges.
    """
    if len(op.operands) < 2:
        return {}
    ratios = {value: range_ratio(op.results[0], value) for value in op.operands}
    return {value: ratio for value, ratio in ratios.items() if ratio and ratio > MOST_RATIO}


def is_part(op: Operation) -> bool:
    """Tell whether `op` takes some of the elements of its one operand."""
    return (
        Moves.holds(op)
        and len(op.operands) == 1
        and prod(shape_of(op.results[0])) < prod(shape_of(op.operands[0]))
    )


def one_scale_warning(
    join: Operation, hidden: Collection[SSAValue], name_of: Callable[[SSAValue], str]
) -> Diagnostic:
    """Return the warning for a concat that hides its inputs `hidden` in one scale, because of its readers; `name_of`
    gives a value's name.
    """
    return Diagnostic(
        "warning",
        f"'{name_of(join.results[0])}' joins tensors of very different size in one int8 scale",
        place_of(join),
        [
            f"the range of '{name_of(value)}' is 1/{ratio:.0f} of the whole: {256 / ratio:.1f} of 256 steps"
            for value, ratio in hidden_operands(join).items()
            if value in hidden
        ],
        hint="bring the inputs to like ranges before (and scale the readers' weights back), or join them later",
    )


def range_ratio(wide: SSAValue, narrow: SSAValue) -> float | None:
    """Return how many times the 8-bit step of `wide` is that of `narrow`; None if one of them has no range of use."""
    steps = [_step(value) for value in (wide, narrow)]
    if steps[0] is None or steps[1] is None:
        return None
    return steps[0] / steps[1]


def fitting_factor(wide: SSAValue, narrow: SSAValue) -> float:
    """Return the greatest power of two by which the calibrated range of `narrow` stays within that of `wide`; 1 if
    there is none greater.
    """
    outer, inner = element_of(wide), element_of(narrow)
    assert isinstance(outer, CalibratedType) and isinstance(inner, CalibratedType)
    ratios = [outer.high / inner.high] if inner.high > 0 else []
    ratios += [outer.low / inner.low] if inner.low < 0 else []
    least = min(ratios, default=1.0)
    return 2.0 ** floor(log2(least)) if least > 1 else 1.0


def _step(value: SSAValue) -> float | None:
    """Return the 8-bit step of a value: the one that its op fixes, or that of its calibrated range."""
    fixed, element = FixedQuantization.parameters_of(value.owner), element_of(value)
    if fixed is not None:
        return fixed[0]
    if not isinstance(element, CalibratedType):
        return None
    try:
        return float(activation_parameters(element.low, element.high)[0])
    except ValueError:
        return None
