"""`tile-assign-addresses`: gives every buffer of a tile program its address.

    %a = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
    %b = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
⇒
    %a = tile.alloc core 0 address = 0 : memref<1x4x4x16xi8, "local">
    %b = tile.alloc core 0 address = 0 : memref<1x4x4x16xi8, "local">

where %a is last used before %b is first used. Scratch buffers in global memory share bytes in the
same way; weights, inputs and outputs lie one after the other in their segments. Buffers that one call of the host
reads, but for weights, lie side by side. All addresses are
multiples of 64. A buffer that has an address keeps it; two such buffers that are in use at one time and
share bytes are an error.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Note
from ...backends.targets.alignment import align
from ...dialects import tile
from ...dialects.ir.attribute import integer
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses, memory_capacity
from ...dialects.tile.buffer import MemoryPlace, erase_unused_views
from ..smalti_pass import Level, SmaltiPass
from ..tiling.allocation import Lifetime, Placement, live_bytes, pack, peak, place
from .given_addresses import PACKED_SEGMENTS, address_of, check_given_addresses

if TYPE_CHECKING:
    from ...backends.targets.target import Target

_SHOWN_BUFFERS = 4
"""How many of the buffers that do not fit a memory a message names."""


class _Slack(NamedTuple):
    """How slack is reduced."""

    divisor: int = 1
    """What the steps of slack are divided by."""
    most_share: float = 1.0
    """Only buffers of at most this share of the memory have slack."""
    filled_share: float = 1.0
    """Slack may fill this share of the memory."""


_LESS_SLACK = {
    "local": (
        _Slack(filled_share=0.92),
        _Slack(filled_share=0.88),
        _Slack(filled_share=0.8),
        _Slack(2, most_share=1 / 16),
        _Slack(12),
    ),
    "acc": (_Slack(2, filled_share=0.92), _Slack(4), _Slack(12)),
}
"""For each memory of a core the slack that is tried, in turn, until the buffers can be placed. A memory that slack
fills to the last byte can hardly be placed: with all slack that it has room for, reduced by steps alone, ResNet-50
takes 1.4% more cycles, and placement three times as long. All slack never fits accumulators.
"""


@dataclass(frozen=True)
class AssignAddresses(SmaltiPass):
    """Place buffers by their lifetimes in program order.

    `slack` says for how many more steps of its core a buffer keeps its bytes, if memory allows, so that the next load
    need not wait for them; it is reduced until all buffers fit.
    """

    name = "tile-assign-addresses"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "local_bytes": "bytes of local memory used, over all cores",
        "local_live_bytes": "most bytes of local memory in use at one time, slack included, over all cores",
        "local_packing_percent": "bytes of local memory used, in percent of those, on the worst core",
        "acc_bytes": "bytes of accumulator memory used, over all cores",
        "weights_bytes": "bytes of weights in global memory",
        "input_bytes": "bytes of the network's inputs in global memory",
        "output_bytes": "bytes of the network's outputs in global memory",
        "scratch_bytes": "bytes of values between layers in global memory",
        "unused_buffers": "buffers that no op used, erased",
    }
    slack: int = 12
    """For how many more steps of its core a buffer keeps its bytes, if memory allows."""

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Set the property `address` of every buffer that has none, and erase buffers and views that no op uses.

        Raises DiagnosticError if a core's buffers do not fit its memory, if the program does not fit global memory, or
        if addresses that buffers have already cannot be kept.
        """
        if self.slack < 0:
            raise DiagnosticError(f"{self.name}: slack is at least 0, got {self.slack}")
        target = target_of(module)
        program = tile.program_of(module)
        steps = program.steps
        erase_unused_views(program.body.block)
        turns = _turns(steps)
        uses = list(buffer_uses(program, steps).values())
        check_given_addresses(uses, len(steps), target)
        memories = self._by_memory(uses)
        global_bytes = 0
        for memory, uses_of_memory in memories.items():
            buffers = _side_by_side(uses_of_memory, steps)
            given = [buffer.address for buffer in buffers]
            if memory[0] not in PACKED_SEGMENTS:
                placement = self._place(memory, buffers, given, steps, turns, target)
            elif all(address is None for address in given):
                placement = pack(b.size_bytes for b in buffers)
            else:
                lifetimes = [Lifetime(each.size_bytes, 0, len(steps)) for each in buffers]
                placement = place(lifetimes, memory_capacity(target, memory), given=given)
                if placement is None:
                    raise _does_not_fit(memory, buffers, steps, memory_capacity(target, memory))
            for buffer, address in zip(buffers, placement.addresses, strict=True):
                buffer.put_at(address)
            if memory[1] < 0:
                global_bytes += placement.size_bytes
            self.count(f"{memory[0]}_bytes", placement.size_bytes)
        _check_global_memory(global_bytes, memories, target)

    def _by_memory(self, uses: Sequence[BufferUse]) -> dict[MemoryPlace, list[BufferUse]]:
        memories: dict[MemoryPlace, list[BufferUse]] = defaultdict(list)
        for use in uses:
            if use.is_used or use.memory[0] in ("input", "output"):
                memories[use.memory].append(use)
            else:
                use.op.detach()
                use.op.erase()
                self.count("unused_buffers")
        return memories

    def _place(
        self,
        memory: MemoryPlace,
        buffers: Sequence[_Placed],
        given: Sequence[int | None],
        steps: Sequence[tile.StepOp],
        turns: Mapping[int, Sequence[int]],
        target: Target,
    ) -> Placement:
        capacity = memory_capacity(target, memory)
        own = turns.get(memory[1], ())
        failed: list[list[Lifetime]] = []
        for less in _LESS_SLACK.get(memory[0], ()) if self.slack else ():
            slack = max(1, self.slack // less.divisor)
            filled, most_bytes = int(less.filled_share * capacity), less.most_share * capacity
            lifetimes = _lifetimes(buffers, own, len(steps), slack, filled, most_bytes)
            if lifetimes in failed:
                continue
            placement = place(lifetimes, capacity, given=given)
            if placement is not None:
                self._count_packing(memory, lifetimes, placement)
                return placement
            failed.append(lifetimes)
        lifetimes = lifetimes_of(buffers)
        placement = place(lifetimes, capacity, given=given)
        if placement is None:
            raise _does_not_fit(memory, buffers, steps, capacity)
        self._count_packing(memory, lifetimes, placement)
        return placement

    def _count_packing(
        self, memory: MemoryPlace, lifetimes: Sequence[Lifetime], placement: Placement
    ) -> None:
        """Count how near the placement in a local memory is to the best: to the most bytes that are live at one time,
        slack included.
        """
        if memory[0] == "local" and lifetimes:
            least = live_bytes(lifetimes)
            self.count("local_live_bytes", least)
            self.count_most("local_packing_percent", round(100 * placement.size_bytes / least))


@dataclass
class _Placed:
    """Buffers that are placed together, one after the other: one, or all that a call of the host reads."""

    uses: list[BufferUse]

    @property
    def size_bytes(self) -> int:
        """The bytes from the first buffer to the end of the last one."""
        return sum(align(use.size_bytes) for use in self.uses[:-1]) + self.uses[-1].size_bytes

    @property
    def first(self) -> int:
        """The first step that uses one of the buffers."""
        return min(use.first for use in self.uses)

    @property
    def last(self) -> int:
        """The last step that uses one of the buffers."""
        return max(use.last for use in self.uses)

    @property
    def address(self) -> int | None:
        """The address that the buffer has; None if it has none yet, as buffers that are placed together have."""
        return address_of(self.uses[0].op) if len(self.uses) == 1 else None

    def put_at(self, address: int) -> None:
        """Give the buffers their addresses, from `address` on."""
        for use in self.uses:
            use.op.address = integer(address)
            address += align(use.size_bytes)


def _side_by_side(uses: Sequence[BufferUse], steps: Sequence[tile.StepOp]) -> list[_Placed]:
    """Return the buffers of a memory as they are to be placed. Buffers that have addresses are placed by themselves."""
    own: dict[SSAValue, BufferUse] = {use.op.output: use for use in uses}
    together: dict[SSAValue, _Placed] = {}
    for op in steps:
        if not isinstance(op, tile.HostCallOp) or len(op.framed) < 2:
            continue
        found = [own[value] for value in op.framed if value in own]
        if len(found) == len(op.framed) and all(address_of(use.op) is None for use in found):
            together |= dict.fromkeys(op.framed, _Placed(found))
    placed = (together.get(use.op.output) or _Placed([use]) for use in uses)
    return list({id(each): each for each in placed}.values())


def _turns(steps: Sequence[tile.StepOp]) -> dict[int, list[int]]:
    """Return the positions of each core's steps."""
    turns: dict[int, list[int]] = defaultdict(list)
    for index, op in enumerate(steps):
        if op.core_number is not None:
            turns[op.core_number].append(index)
    return turns


def _lifetimes(
    buffers: Sequence[_Placed],
    own: Sequence[int],
    count: int,
    slack: int,
    capacity: int,
    most_bytes: float = inf,
) -> list[Lifetime]:
    """Return the lifetimes of buffers from first to last use, those of at most `most_bytes` extended by at most `slack`
    steps of their core, as far as there is room for `capacity` bytes in all; `own` are the positions of that core's
    steps among `count`.

    All buffers get a little first and then more, or the first ones would take the room from their neighbors.
    """
    lifetimes = lifetimes_of(buffers)
    sizes = [align(each.size_bytes) for each in lifetimes]
    ends = [each.last for each in lifetimes]
    change = np.zeros(count + 2, np.int64)
    np.add.at(change, [each.first for each in lifetimes], sizes)
    np.subtract.at(change, [end + 1 for end in ends], sizes)
    live = np.cumsum(change)[:-1]
    turn = [bisect_left(own, end) for end in ends]
    order = [
        number
        for number in sorted(range(len(lifetimes)), key=ends.__getitem__)
        if sizes[number] <= most_bytes
    ]
    for steps in _slacks(slack):
        # One that has no room now will have none later.
        crowded: set[int] = set()
        for number in order:
            size, begin = sizes[number], ends[number] + 1
            later = turn[number] + steps
            last = max(own[later] if later < len(own) else count, ends[number])
            full = live[begin : last + 1] > capacity - size
            if full.any():
                last = ends[number] + int(full.argmax())
                crowded.add(number)
            live[begin : last + 1] += size
            ends[number] = last
        order = [number for number in order if number not in crowded]
    return [
        Lifetime(each.size_bytes, each.first, last)
        for each, last in zip(lifetimes, ends, strict=True)
    ]


def _slacks(slack: int) -> list[int]:
    """Return 1, 2, 4, … up to `slack`."""
    return sorted({min(1 << bit, slack) for bit in range(slack.bit_length() + 1)} - {0})


def lifetimes_of(buffers: Sequence[BufferUse | _Placed]) -> list[Lifetime]:
    """Return the lifetimes of buffers, from first to last use."""
    return [Lifetime(b.size_bytes, b.first, b.last) for b in buffers]


def _does_not_fit(
    memory: MemoryPlace, buffers: Sequence[_Placed], steps: Sequence[tile.StepOp], capacity: int
) -> DiagnosticError:
    """Return an error that says how many bytes are needed, where, and for which nodes of the network."""
    if memory[1] < 0:
        needed = live_bytes(lifetimes_of(buffers))
        return DiagnosticError(
            f"intermediate tensors need {needed} bytes of global memory, which has {capacity}",
            hint="use a smaller batch, or a target with more global memory",
        )
    needed, at = peak(lifetimes_of(buffers))
    what = f"{'local' if memory[0] == 'local' else 'accumulator'} memory of core {memory[1]}"
    if needed > capacity:
        reason = f"{needed} bytes of {what} are in use at once, it has {capacity}"
    else:
        reason = (
            f"no addresses were found in the {capacity} bytes of {what} ({needed} in use at once)"
        )
    return DiagnosticError(
        reason,
        place_of(steps[at]),
        _largest(buffers, at),
        "plan for less memory than there is (--set-pass tile-plan{memory=BYTES}), keep fewer tensors on chip "
        "(--no-on-chip, or 'output = global' in a schedule), or use a target with more memory",
    )


def _largest(buffers: Sequence[_Placed], at: int) -> list[str | Note]:
    """Return what is in use at a step: the largest buffers, with the nodes that they are for."""
    live = [use for each in buffers for use in each.uses if use.first <= at <= use.last]
    live.sort(key=lambda use: -use.size_bytes)
    notes: list[str | Note] = []
    for use in live[:_SHOWN_BUFFERS]:
        name = use.op.output.name_hint or "a buffer"
        notes.append(Note(f"{use.size_bytes} bytes: {name}", place_of(use.op)))
    if len(live) > _SHOWN_BUFFERS:
        rest = sum(use.size_bytes for use in live[_SHOWN_BUFFERS:])
        notes.append(f"{rest} bytes: {len(live) - _SHOWN_BUFFERS} more buffers")
    return notes


def _check_global_memory(
    needed: int, memories: dict[MemoryPlace, list[BufferUse]], target: Target
) -> None:
    capacity = target.global_memory.size_bytes
    if needed <= capacity:
        return
    sizes = {
        memory[0]: sum(align(b.size_bytes) for b in buffers)
        for memory, buffers in memories.items()
        if memory[1] < 0
    }
    raise DiagnosticError(
        f"the model needs {needed} bytes of global memory, target '{target.name}' has {capacity}",
        notes=[f"{segment}: {size} bytes" for segment, size in sizes.items()],
        hint="use a smaller batch or model, or a target with more global memory",
    )
