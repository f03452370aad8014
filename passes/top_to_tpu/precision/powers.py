"""Finds the powers, and what is made of them, that f16 cannot hold before a root, a logarithm or a division brings them
into range.

    %p = top.mul "p" %x, %x                       squares of 300 are beyond f16
    %s = top.conv2d "s" %p, %w                    and their sums are all the more
    %r = top.unary "r" %s kind = "sqrt"           in range again
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.ir import Operation, SSAValue

from ....dialects import top
from ....dialects.network.traits import HasPoles, Moves
from .given_quantization import constant_of

_AVERAGING = ("mean", "sum")


def powers_before_roots(
    ops: Sequence[Operation], can_be_wide: Callable[[Operation], bool]
) -> frozenset[SSAValue]:
    """Return the powers among the results of `ops` (of one block, in order) of which a root, a logarithm or an inverse
    is taken after sums and averages, and all that is computed between them, by ops that `can_be_wide`.
    """
    made: set[SSAValue] = set()
    for op in ops:
        if not can_be_wide(op):
            continue
        if _is_power(op) or (_leads_on(op) and any(value in made for value in op.operands)):
            made.add(op.results[0])
    found: set[SSAValue] = set()
    for op in reversed(ops):
        if not op.results or op.results[0] not in made:
            continue
        value = op.results[0]
        users = [use.operation for use in value.uses]
        if any(
            _brings_into_range(user, value) or (_leads_on(user) and user.results[0] in found)
            for user in users
        ):
            found.add(value)
    return frozenset(found)


def is_square(value: SSAValue) -> bool:
    """Tell whether a value is x · x, or an even power of x."""
    op = value.owner
    if isinstance(op, top.MulOp):
        return op.lhs is op.rhs
    return (
        isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] in (2.0, 4.0)
    )


def unmoved(value: SSAValue) -> SSAValue:
    """Return what `value` is before the moves of one operand that made it."""
    while isinstance(value.owner, Operation) and Moves.holds(value.owner):
        if len(value.owner.operands) != 1:
            break
        value = value.owner.operands[0]
    return value


def _is_power(op: Operation) -> bool:
    """Tell whether an op gives x · x, x · |x|, sums of products of x with itself, or a power of x above 1."""
    if isinstance(op, top.MulOp):
        return op.lhs is op.rhs or _is_abs_of(op.lhs, op.rhs) or _is_abs_of(op.rhs, op.lhs)
    if isinstance(op, top.MatmulOp):
        return unmoved(op.lhs) is unmoved(op.rhs)
    return isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] > 1


def _is_abs_of(value: SSAValue, x: SSAValue) -> bool:
    op = value.owner
    return isinstance(op, top.UnaryOp) and op.kind.data == "abs" and op.input is x


def _brings_into_range(op: Operation, value: SSAValue) -> bool:
    """Tell whether an op gives a root of `value`, its logarithm, or something divided by it."""
    if value in HasPoles.points_of(op):
        return True
    if not isinstance(op, top.UnaryOp):
        return False
    return op.kind.data == "sqrt" or (op.kind.data == "power" and 0 < abs(op.parameters[0]) < 1)


def _leads_on(op: Operation) -> bool:
    """Tell whether an op may stand between powers and the root of what is made of them: it sums, averages, scales or
    bounds.
    """
    if isinstance(op, top.MulOp | top.DivOp):
        return constant_of(op.rhs) is not None or constant_of(op.operands[0]) is not None
    if isinstance(op, top.UnaryOp):
        return op.kind.data in ("abs", "neg")
    if isinstance(op, top.ReduceOp):
        return op.kind.data in _AVERAGING
    summing = top.AddOp | top.SubOp | top.AvgPoolOp | top.Conv2dOp | top.MatmulOp
    return Moves.holds(op) or isinstance(op, summing | top.MaxOp | top.ClipOp | top.ReluOp)
