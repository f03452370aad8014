"""Checks that the members of each multicast group load the same elements, each on a core of its own, side by side.

A group is one event: none of its members starts before all can. If other steps stood between them, one member could
wait for a step that waits for another member, and the program would never end. So it would with two groups that two
cores meet in different orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.ir import Operation

from ..movement import CopyOp
from ..step_op import StepOp

_ALIKE = ("source_offset", "source_strides", "target_strides", "sizes", "pad", "pad_value")
"""The fields in which the members of a group do not differ."""


def find_group_fault(steps: Sequence[StepOp]) -> tuple[Operation, str] | None:
    """Return the first copy that cannot be in its multicast group, with the reason; None if there is none."""
    complete: set[int] = set()
    for event in events_of(steps):
        first = steps[event[0]]
        group = group_of(first)
        if group is None or not isinstance(first, CopyOp):
            continue
        if group in complete:
            return first, (
                f"multicast group {group} has copies further up, with other steps between: its copies start together "
                "and stand side by side"
            )
        complete.add(group)
        cores: set[int | None] = set()
        for number in event:
            op = steps[number]
            assert isinstance(op, CopyOp)
            if op.core_number in cores:
                return op, f"multicast group {group} has two copies on core {op.core_number}"
            cores.add(op.core_number)
            if op.source is not first.source:
                return op, f"the copies of multicast group {group} read different buffers"
            for name in _ALIKE:
                if op.properties.get(name) != first.properties.get(name):
                    return op, f"the copies of multicast group {group} differ in '{name}'"
    return None


def group_of(op: Operation) -> int | None:
    """Return the multicast group of an op; None if it is in none."""
    return op.group.value.data if isinstance(op, CopyOp) and op.group is not None else None


def events_of(steps: Sequence[StepOp]) -> Iterator[range]:
    """Return the numbers of the steps that start together, in order: those of a step, or of copies side by side in one
    multicast group.
    """
    begin, group = 0, None
    for number, op in enumerate(steps):
        own = group_of(op)
        if number and (own is None or own != group):
            yield range(begin, number)
            begin = number
        group = own
    if steps:
        yield range(begin, len(steps))
