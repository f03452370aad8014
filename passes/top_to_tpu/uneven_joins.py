"""Finds concats of tensors whose ranges are so different that one 8-bit scale would hide some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod

from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic
from ...dialects.ir.location import place_of
from ...dialects.network.traits import Moves
from ...dialects.quant.element_type import shape_of
from .range_ratio import MOST_RATIO, range_ratio


def uneven_joins(ops: Iterable[Operation]) -> dict[SSAValue, Operation]:
    """Return the results of such concats among `ops` (of one block, in order), directly or after moves of all elements,
    each with the concat.
    """
    found: dict[SSAValue, Operation] = {}
    for op in ops:
        if not Moves.holds(op):
            continue
        if hidden_operands(op):
            found[op.results[0]] = op
        elif op.operands[0] in found and not is_part(op):
            found[op.results[0]] = found[op.operands[0]]
    return found


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


def one_scale_warning(join: Operation, name_of: Callable[[SSAValue], str]) -> Diagnostic:
    """Return the warning for a concat that gets one scale because of its readers; `name_of` gives a value's name."""
    return Diagnostic(
        "warning",
        f"'{name_of(join.results[0])}' joins tensors of very different size in one int8 scale",
        place_of(join),
        [
            f"the range of '{name_of(value)}' is 1/{ratio:.0f} of the whole: {256 / ratio:.1f} of 256 steps"
            for value, ratio in hidden_operands(join).items()
        ],
        hint="bring the inputs to like ranges before (and scale the readers' weights back), or join them later",
    )
