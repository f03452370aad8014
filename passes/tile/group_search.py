"""Finds groups of layers that pay: those between whose layers tensors do not fit the memories of cores.

Each tensor for which there is no room is between some layers: from the one that writes it to the last one that reads
it, with all whose outputs only these read. Such a range of layers is cut and played by itself with estimated times
(`order_engines.py`): as it is, and in some numbers of slices. Ranges come first whose tensors are large. One that gains
nothing by itself, or shares layers with a group that was found, may gain as a part of that group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.storage import bytes_of
from ...dialects import tile
from ...dialects.ir.attribute import values_of
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.target_attribute import target_of
from ...dialects.ir.weights import WeightStore
from ...dialects.quant.element_type import shape_of
from ...dialects.tile.checks import storage_of
from .cut_to_local_memory import CutToLocalMemory
from .groups.make_group import group_layers
from .groups.slice_groups import SliceGroups
from .groups.slices import KEPT_WEIGHTS_SHARE
from .order_engines import play
from .planning.considered_groups import LEAST_GAIN, ConsideredRange, FoundGroup
from .split_over_cores import SplitOverCores

_SLICES = (4, 8, 16, 32)
"""The numbers of slices that are tried, as long as more are better."""

_LAYERS = 16
"""The most layers of a group."""

_JOINED_GAIN = 0.02
"""By which share of its time a range must gain more than the groups that it takes the place of: longer groups need more
memory, and their estimate is worse.
"""

_MORE_GAIN = 0.005
"""By which share of its time a range must gain more with more slices."""

_TRIALS = 64
"""How many times a range is played at most."""

_PREFETCH = 64
"""Among how many loads a core's DMA engine chooses in plays."""

Planning = Callable[[Context, ModuleOp], None]
"""Completes the schedules of a program."""


@dataclass
class GroupSearch:
    """The search for groups in a program, whose layers have no core yet, on `cores` cores."""

    store: WeightStore
    module: ModuleOp
    plan: Planning
    cores: int
    trials: int = 0
    """How many times a range was played."""
    considered: list[ConsideredRange] = field(default_factory=list)
    """The ranges that were played."""
    layers: list[tile.LayerOp] = field(init=False)

    def __post_init__(self) -> None:
        self.layers = tile.program_of(self.module).layers

    def run(self, lacking: Collection[SSAValue]) -> list[FoundGroup]:
        """Return groups, which share no layers, for tensors that have no room."""
        found: list[FoundGroup] = []
        others: list[tuple[int, int]] = []
        for first, last in self._ranges(lacking):
            is_taken = any(each.shares(first, last) for each in found)
            best = None if is_taken else self._best(first, last)
            if best is not None:
                found.append(best)
            else:
                others.append((first, last))
        for range_ in others:
            self._join(range_, found)
        return sorted(found, key=lambda each: each.first)

    def _join(self, range_: tuple[int, int], found: list[FoundGroup]) -> None:
        """Make a range a part of the groups that it shares layers with or is beside, if they gain more then."""
        beside = [each for each in found if each.shares(range_[0] - 1, range_[1] + 1)]
        if not beside:
            return
        first = min(range_[0], *(each.first for each in beside))
        last = max(range_[1], *(each.last for each in beside))
        if any((each.first, each.last) == (first, last) for each in beside):
            return
        closed = self._closed(first, last)
        best = None if closed is None else self._best(*closed)
        if best is None:
            return
        replaced = [each for each in found if each.shares(best.first, best.last)]
        more = best.gain - sum(each.gain for each in replaced)
        if more > _JOINED_GAIN * best.gain / best.share:
            found[:] = [*(each for each in found if each not in replaced), best]

    def _ranges(self, lacking: Collection[SSAValue]) -> list[tuple[int, int]]:
        """Return the first and the last layer of each range that may become a group: the one first that saves most
        bytes.
        """
        saved: dict[tuple[int, int], int] = defaultdict(int)
        for number, op in enumerate(self.layers):
            range_ = self._closed(number, number + 1) if op.output in lacking else None
            if range_ is not None:
                inner = self.layers[range_[0] : range_[1]]
                saved[range_] = sum(_bytes_of(op.output) for op in inner if op.output in lacking)
        paying = [range_ for range_ in saved if saved[range_] > self._reloaded_bytes(*range_)]
        return sorted(paying, key=lambda range_: (-saved[range_], range_))

    def _reloaded_bytes(self, first: int, last: int) -> int:
        """Return how many bytes of weights of a range are too many to stay from slice to slice: each slice would load
        them.
        """
        most = KEPT_WEIGHTS_SHARE * target_of(self.module).local_memory.size_bytes * self.cores
        sizes = [
            sum(_bytes_of(value) for value in set(op.inputs) if _is_constant(value))
            for op in self.layers[first : last + 1]
        ]
        return sum(size for size in sizes if size > most)

    def _closed(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the smallest range from layer `first` to `last`, or a later one, of which only the last layer's output
        is read outside; None if there is none that may be a group.
        """
        numbers = {op: number for number, op in enumerate(self.layers)}
        at = first
        while at < min(last, first + _LAYERS):
            op = self.layers[at]
            owner = op.output.owner
            readers = [numbers.get(use.operation, -1) for use in op.output.uses]  # pyright: ignore[reportArgumentType, reportCallIssue]
            after = [number for number in readers if number != at]
            is_between = isinstance(owner, tile.GlobalOp) and owner.segment.data == "scratch"
            if not is_between or not after or min(after) < at:
                return None
            last = max(last, *after)
            at += 1
        if last - first >= _LAYERS or last >= len(self.layers):
            return None
        inside = self.layers[first : last + 1]
        # What is decided for a whole layer need not be meant for its slices.
        if any(op.core is not None or op.decided != tile.Schedule() for op in inside):
            return None
        if any(isinstance(op.parent_op(), tile.GroupOp) for op in inside):
            return None
        return first, last

    def _best(self, first: int, last: int) -> FoundGroup | None:
        """Return the group of a range that gains most; None if none gains enough."""
        owner = self.layers[last].output.owner
        assert isinstance(owner, tile.GlobalOp)
        shape = values_of(owner.shape)
        axis = next((axis for axis in values_of(owner.order) if shape[axis] > 1), None)
        if axis is None:
            return None
        alone = self._cycles(first, last, None)
        considered = ConsideredRange(first, last, alone)
        self.considered.append(considered)
        if alone is None:
            return None
        best: FoundGroup | None = None
        for slices in _SLICES:
            if slices > shape[axis]:
                break
            group = tile.Group(axis, slices)
            cycles = self._cycles(first, last, group)
            considered.tried.append((group, cycles))
            if cycles is None:
                continue
            gain = alone - cycles
            if gain <= (0.0 if best is None else best.gain + _MORE_GAIN * alone):
                break
            best = FoundGroup(first, last, group, gain, gain / alone)
        if best is not None and best.share >= LEAST_GAIN:
            considered.best = best
        return considered.best

    def _cycles(self, first: int, last: int, group: tile.Group | None) -> float | None:
        """Return what a range takes by itself, as a group or as it is; None if it cannot be carried out so."""
        if self.trials >= _TRIALS:
            return None
        self.trials += 1
        module, ctx = self.module.clone(), SmaltiContext()
        ctx.weights = self.store.fork()
        program = tile.program_of(module)
        layers = program.layers
        for op in reversed([*layers[:first], *layers[last + 1 :]]):
            op.detach()
            op.erase()
        if group is not None:
            group_layers(program, layers[first : last + 1], group)
        try:
            self.plan(ctx, module)
            if group is not None and not _stays(program.layers[:-1]):
                return None
            for step in (SliceGroups(), SplitOverCores(self.cores), CutToLocalMemory()):
                step.run(ctx, module)
        except DiagnosticError:
            return None
        played = play(program, target_of(module), _PREFETCH)
        return None if played is None else played.cycles


def _stays(layers: Sequence[tile.LayerOp]) -> bool:
    """Tell whether the outputs of layers stay on chip."""
    return all(op.decided.stays_on_chip for op in layers)


def _is_constant(value: SSAValue) -> bool:
    """Tell whether a buffer holds weights."""
    owner = value.owner
    return isinstance(owner, tile.GlobalOp) and owner.segment.data == "weights"


def _bytes_of(value: SSAValue) -> int:
    """Return how many bytes a buffer has."""
    return bytes_of(prod(shape_of(value)), storage_of(value))
