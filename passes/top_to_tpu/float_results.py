"""Finds the values that only softmaxes and comparisons read: scores that are scaled, shifted and masked on
their way.
"""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Operation, SSAValue

from ...dialects.network.traits import CanStayFloat, ComparesElements


def float_results(ops: Iterable[Operation]) -> set[SSAValue]:
    """Return those results of element-wise ops, moves, maxima and minima among `ops` (of one block, in order) that only
    softmaxes and comparisons read, directly or after more such ops.

    Softmaxes and comparisons compute in floats, and what they compute depends on differences. The values by which a
    mask replaces some scores (-10000, the least float, -inf) would take up all of an 8-bit range, and between the
    product that makes the scores and the softmax nothing is gained by 8 bits.
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
