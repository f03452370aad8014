"""What only softmaxes and comparisons read: scores that are scaled, shifted and masked on their way."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Operation, SSAValue

from ...dialects.network.traits import CanStayFloat, ComparesElements


def float_results(ops: Iterable[Operation]) -> set[SSAValue]:
    """The results of element-wise ops, moves, maxima and minima among `ops` (of one block, in
    order) that nothing but softmaxes and comparisons read, at once or after more such ops.

    Both compute in floats, and what they make depends on differences. What a mask puts in the place
    of some scores (-10000, the least float, -inf) would take all of an 8-bit range, and between the
    product that makes the scores and the softmax 8 bits gain nothing.
    """
    found: set[SSAValue] = set()
    for op in reversed(list(ops)):
        if CanStayFloat.holds(op) and _floats_read(op.results[0], found):
            found.add(op.results[0])
    return found


def _floats_read(value: SSAValue, found: set[SSAValue]) -> bool:
    users = [use.operation for use in value.uses]
    return bool(users) and all(
        ComparesElements.holds(user) or any(result in found for result in user.results)
        for user in users
    )
