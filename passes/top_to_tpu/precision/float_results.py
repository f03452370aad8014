"""Finds the values that an INT8 network keeps in floats, because of who reads them: softmaxes and comparisons, ops with
poles, and the network's outputs.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from enum import IntEnum

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation, SSAValue

from ....dialects.network.traits import CanStayFloat, ComparesElements, HasPoles, Moves
from .uneven_joins import is_part, uneven_joins


class Reader(IntEnum):
    """What reads a value; the later ones gain more from floats."""

    OUTPUT = 1
    """The network's output, which is in floats, or a slice of parts whose ranges are very different: 8 bits that only
    move there are a loss without a gain.
    """
    COMPARISON = 2
    """Softmaxes and comparisons, which depend on differences. The values by which a mask replaces some scores (-10000,
    the least float, -inf) would take up all of an 8-bit range.
    """
    POLE = 3
    """An op that makes a large error of a small one, such as a logarithm: what 8 bits round to 0 becomes infinite."""


def float_results(ops: Iterable[Operation]) -> dict[SSAValue, Reader]:
    """Return those results of `ops` (of one block, in order) that are better computed in floats, with their readers.

    These are the results of ops that can stay float, if all readers want floats, directly or after more such ops. One
    such reader is enough if it has a pole, or if 8 bits would hide a part of the value; then readers of 8 bits get a
    cast. An op that computes is not kept in floats for an output's sake: only moves and choices are, and what reads a
    value of which 8 bits would hide a part. What makes one of it that 8 bits can hold is kept in floats for any reader.
    """
    found: dict[SSAValue, Reader] = {}
    listed = list(ops)
    uneven = uneven_joins(listed)
    for op in reversed(listed):
        if not CanStayFloat.holds(op):
            continue
        value = op.results[0]
        reader = Reader.OUTPUT if _evens(op, uneven) else None
        reader = _reader_of(value, found, uneven) or reader
        if reader is not None and reader >= _least_reader(op, uneven):
            found[value] = reader
    return found


def _evens(op: Operation, uneven: Container[SSAValue]) -> bool:
    """Tell whether `op` computes, from a value of which 8 bits would hide a part, one that 8 bits can hold: it is the
    last to see that part.
    """
    reads_uneven = any(value in uneven for value in op.operands)
    computes = not Moves.holds(op) and not CanStayFloat.is_only_before_poles(op)
    return reads_uneven and computes and op.results[0] not in uneven


def _least_reader(op: Operation, uneven: Container[SSAValue]) -> Reader:
    """Return the least of the readers for whose sake `op` stays in floats."""
    if any(value in uneven for value in op.operands):
        return Reader.OUTPUT
    if CanStayFloat.is_only_before_poles(op):
        return Reader.POLE
    only_moves = Moves.holds(op) or CanStayFloat.is_choice(op)
    return Reader.OUTPUT if only_moves else Reader.COMPARISON


def _reader_of(
    value: SSAValue, found: Mapping[SSAValue, Reader], uneven: Container[SSAValue]
) -> Reader | None:
    """Return what reads `value`, the least if there are several; None if a reader wants 8 bits."""
    users = [use.operation for use in value.uses]
    if any(_is_near_pole(user, value, found) for user in users):
        return Reader.POLE
    readers = [_wanted_by(user, value, found, uneven) for user in users]
    wanted = [reader for reader in readers if reader is not None]
    is_enough = len(wanted) == len(readers) or value in uneven
    return min(wanted) if wanted and is_enough else None


def _is_near_pole(user: Operation, value: SSAValue, found: Mapping[SSAValue, Reader]) -> bool:
    """Tell whether `user` has a pole of `value`, or only moves it to an op that has one."""
    if value in HasPoles.points_of(user):
        return True
    return Moves.holds(user) and found.get(user.results[0]) is Reader.POLE


def _wanted_by(
    user: Operation, value: SSAValue, found: Mapping[SSAValue, Reader], uneven: Container[SSAValue]
) -> Reader | None:
    """Return as what `user` wants `value` in floats; None if it does not."""
    if isinstance(user, ReturnOp):
        return Reader.OUTPUT
    if ComparesElements.holds(user):
        return Reader.COMPARISON
    if HasPoles.points_of(user):
        return Reader.POLE
    if value in uneven and is_part(user):
        return Reader.OUTPUT
    return found.get(user.results[0])
