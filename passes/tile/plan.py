"""`tile-plan`: decides how each layer is carried out, and writes it into the layer's schedule.

Before:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] { … }

After:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0, 1],
        split = [1, 1, 2, 1], tile = [1, 64, 14, 56], depth = 64, order = channels_outer, block = 64> { … }

What a schedule has already, by hand or by another pass, stays as it is; the rest is chosen by the cost model: with
`splits=together` the splits of all layers in one search (`split_search.py`), and with `tiles=together` then their tiles
(`tile_search.py`); with `by-layer` those that are best for each layer alone. `parts` bounds into how many parts a layer
is divided, and `lanes` and `memory` plan as for a target with fewer lanes or less local memory: such a plan runs as
well, and may be the faster one. With `on_chip`, tensors between layers stay in the local memories of the cores that
compute them, where they have room; with `in_place` in the buffer of the tensor that is joined of them, or of which they
are slices. With `multicast_weights`, cores that need the same weights load them at once, if the target can; with
`multicast_activations`, a core sends what several others read of its part to all of them at once. With `groups`, layers
between which tensors have no room are put into groups, which are computed slice by slice (`group_search.py`). The
passes that follow obey the schedule.

A network of many layers that the bus of global memory does not keep busy is planned a second time, as if one more core
cost a layer half as much, unless not to look for `alternatives`; of both plans that is taken whose run is estimated to
be shorter: where many small layers follow each other, it is chance which of them is better.

With `objective=throughput` a network with a batch is planned a second time, with the samples of the batch divided over
cores before anything else, and the plan is taken whose run is estimated to be shorter by 5% or more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...dialects import tile
from ...dialects.ir.context import report
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.schedule import ScheduleAttr
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tiling.cost import CostModel
from .group_search import GroupSearch
from .groups.make_group import dissolve, group_layers
from .planning.considered_groups import FoundGroup
from .planning.decisions import Shortage, WholePlan
from .planning.layer_parts import check_core_count
from .planning.network import Network
from .planning.places import (
    Places,
    PlannedLayer,
    kept_tensors,
    tensors_in_place,
    that_may_stay,
)
from .planning.plan_recorder import PlanRecorder
from .planning.unused_settings import unused_settings
from .tiler_bases.layer import Layer

if TYPE_CHECKING:
    from ...backends.targets.target import Target

OBJECTIVES = ("latency", "throughput")
"""What is made good, as the option of this name says."""

_LEAST_GAIN = 0.05
"""By which share of its cycles a plan with the samples of a batch apart must be shorter to be taken: the estimates of
both are no better.
"""

_LEAST_GAIN_OF_PARTS = 0.01
"""By which share of its cycles a plan in which one more core costs a layer less must be shorter to be taken."""

_FEWEST_LAYERS = 17
"""A network of fewer layers has one plan: its compilation times programs of several."""

_NEAR_BUS = 1.25
"""A plan that takes at most so many times the cycles of the transfers that cannot be left out has no alternative."""

_LEAST_MEMORY = 1024
"""No target has a smaller local memory."""

SEARCHES = ("together", "by-layer")
"""How splits are chosen, and tiles, as the options of these names say."""


_Whole = tuple[Network, list[PlannedLayer], Places]
"""A network, its layers with their schedules, and where their outputs lie."""


@dataclass(frozen=True)
class Plan(SmaltiPass):
    """Complete the schedule of every layer, on at most `cores` cores (default: all of the target's)."""

    name = "tile-plan"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "planned": "layers whose schedule was completed",
        "local": "layers whose output stays in local memories",
        "in_place": "layers whose output lies there in a tensor that is joined of it, or of which it is a slice",
        "multicast": "layers whose cores load at once the weights that they share",
        "groups": "groups that layers were put into",
        "samples_apart": "samples of the batch that were divided over cores before anything else",
    }

    cores: int | None = None
    """How many cores of the target to use; all unless given."""
    on_chip: bool = True
    """Whether tensors between layers may stay in local memories."""
    in_place: bool = True
    """Whether they may lie there in the tensors that are joined of them, or of which they are slices."""
    multicast_weights: bool = True
    """Whether cores may load at once the weights that they share."""
    multicast_activations: bool = True
    """Whether cores may be sent at once what they share of tensors in local memories."""
    splits: str = "together"
    """How layers are divided: `together`, so that they find their inputs where they need them, or `by-layer`."""
    alternatives: bool = True
    """Whether a network is planned a second time, if `splits` is `together`, as if one more core cost a layer half as
    much.
    """
    groups: bool = True
    """Whether layers may be put into groups, if `splits` is `together`."""
    tiles: str = "together"
    """How tiles are chosen: `together`, so that a layer computes what the next ones go on with, or `by-layer`."""
    parts: int | None = None
    """Into how many parts a layer is divided at most; as many as there are cores unless given."""
    objective: str = "latency"
    """What is made good: the `latency` of one run, or the `throughput` of run after run, which may be that of a plan in
    which each core has samples of the batch to itself.
    """
    lanes: int | None = None
    """With how many vector lanes for i8 is planned, if the target has no fewer; those of other types are fewer in the
    same proportion. Fewer lanes lead to other splits and smaller tiles.
    """
    memory: int | None = None
    """With how many bytes of each local memory is planned, if the target has no fewer. Less memory leads to smaller
    tiles.
    """

    def __post_init__(self) -> None:
        """Raise DiagnosticError if an option has no such value."""
        for option, value, values in (
            ("splits", self.splits, SEARCHES),
            ("tiles", self.tiles, SEARCHES),
            ("objective", self.objective, OBJECTIVES),
        ):
            if value not in values:
                raise DiagnosticError(
                    f"option '{option}' is {value}, expected one of {', '.join(values)}",
                    Place(name=f"pass '{self.name}'"),
                    hint=did_you_mean(value, values),
                )
        for name, least in (("parts", 1), ("lanes", 1), ("memory", _LEAST_MEMORY)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise DiagnosticError(
                    f"option '{name}' is at least {least}, got {value}",
                    Place(name=f"pass '{self.name}'"),
                )

    _recorder: ClassVar[PlanRecorder | None] = None

    def record(self, recorder: PlanRecorder) -> None:
        """Have `recorder` gather what the next run decides, and among what. The schedules are the same."""
        object.__setattr__(self, "_recorder", recorder)  # the pass is frozen, as all are

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Write the schedules. Raises DiagnosticError if a schedule cannot be carried out, or if a layer fits no
        memory.
        """
        target = target_of(module)
        cores = check_core_count(target, self.cores)
        can = target.interconnect.multicast
        costs = CostModel(
            self._planned_with(target),
            can and self.multicast_weights,
            can and self.multicast_activations,
        )
        recorder = self._recorder
        program, store = tile.program_of(module), store_of(ctx)
        network = Network(
            program,
            costs,
            store,
            cores,
            self.splits,
            self.tiles,
            self.parts,
            self.in_place,
            recorder,
        )
        network, planned, places = self._best(network)
        if self.groups and self.on_chip and self.splits == "together":
            planned, places = self._with_groups(module, network, planned, places)
        kept, in_place, refused = places
        for each in planned:
            _check_room(each.layer, refused)
        if any(each.layer.operation.decided != tile.Schedule() for each in planned):
            _check_fits(planned, replace(network).overfull(planned, places))
        for unused in unused_settings(planned, places):
            report(ctx, unused)
        planned = [self._placed(each, kept, in_place) for each in planned]
        if recorder is not None:
            done = replace(network).times(planned, in_place)
            recorder.finish(program.sym_name.data, planned, network.costs, cores, in_place, done)
        for each in planned:
            operation, schedule = each.layer.operation, each.schedule
            self.count("local", int(schedule.stays_on_chip))
            self.count("in_place", int(schedule.output == "in_place"))
            self.count("multicast", int(schedule.weights == "multicast"))
            if schedule != operation.decided:
                operation.properties["schedule"] = ScheduleAttr(schedule)
                self.count("planned")

    def _best(self, network: Network) -> tuple[Network, list[PlannedLayer], Places]:
        """Return how a network is planned best for the objective, without groups.

        Runs of a program follow each other: a core starts again when it is done, or all are if others reach into its
        memory. So of two plans that with the shorter run has the higher throughput.
        """
        planned, places = self._planned(network)
        if self.objective == "throughput" and network.samples > 1 and network.cores > 1:
            apart = replace(network, samples_apart=True)
            found = self._better((network, planned, places), apart, _LEAST_GAIN)
            self.count("samples_apart", network.samples if found[0] is apart else 0)
            return found
        if not self._has_alternative(network, planned, places):
            return network, planned, places
        costs = replace(network.costs, part_cycles=network.costs.part_cycles // 2)
        other = replace(network, costs=costs)
        return self._better((network, planned, places), other, _LEAST_GAIN_OF_PARTS)

    def _has_alternative(
        self, network: Network, planned: Sequence[PlannedLayer], places: Places
    ) -> bool:
        """Tell whether a network that is planned so may be planned better as if one more core cost a layer less."""
        if not self.alternatives or self.splits != "together" or network.cores == 1:
            return False
        if len(network.program.layers) < _FEWEST_LAYERS:
            return False
        cycles = max(network.times(planned, places.in_place), default=0.0)
        return cycles > network.crossing_cycles * _NEAR_BUS

    def _better(self, first: _Whole, network: Network, least_gain: float) -> _Whole:
        """Return the `first` plan or that of another `network`, if it takes fewer cycles, by `least_gain` of them at
        least.
        """
        record = None if self._recorder is None else replace(self._recorder)
        second = network, *self._planned(network)
        cycles, other_cycles = (
            max(each.times(planned, places.in_place), default=0.0)
            for each, planned, places in (first, second)
        )
        is_better = other_cycles <= cycles * (1 - least_gain)
        if self._recorder is not None and record is not None:
            differ = first[0].costs.part_cycles != network.costs.part_cycles
            self._recorder.plans = tuple(
                WholePlan(
                    each.samples_apart,
                    round(done),
                    is_chosen,
                    each.costs.part_cycles if differ else None,
                )
                for each, done, is_chosen in (
                    (first[0], cycles, not is_better),
                    (network, other_cycles, is_better),
                )
            )
            if not is_better:
                self._recorder.take(record)
        return second if is_better else first

    def _planned_with(self, target: Target) -> Target:
        """Return the target with as many lanes and as much of its local memories as is planned with."""
        vector, local = target.vector, target.local_memory
        most = vector.lanes["i8"]
        share = min(most, self.lanes or most) / most
        lanes = {name: max(1, int(each * share)) for name, each in vector.lanes.items()}
        size = min(local.size_bytes, self.memory or local.size_bytes)
        return target.model_copy(
            update={
                "vector": vector.model_copy(update={"lanes": lanes}),
                "local_memory": local.model_copy(update={"size_bytes": size}),
            }
        )

    def _planned(self, network: Network) -> tuple[list[PlannedLayer], Places]:
        """Return the layers of a network with their schedules, and where their outputs lie."""
        kept = kept_tensors(network.program)
        if self._recorder is not None:
            self._recorder.begin_plan()
        if not self.on_chip:
            planned = network.planned(kept)
            able = kept & that_may_stay(each.tiler for each in planned)
            refused = network.placed(planned, able, None)[1].refused if able else {}
            return planned, Places(kept, tensors_in_place(network.program), refused)
        notes = None if self._recorder is None else self._recorder.places
        kept = that_may_stay(map(network.tiler, network.layers(kept)), notes)
        # First as if all could stay, then as those do for which there is room.
        planned, places = network.placed(network.planned(kept), kept, notes)
        network.candidates = kept
        # Where tensors have no room, layers have other tiles, beside which others may have none either.
        while places.kept != kept:
            kept = places.kept
            planned, places = network.placed(network.planned(kept), kept, notes)
            if places.kept == kept or network.has_room(planned, places):
                break
        return planned, places

    def _with_groups(
        self,
        module: ModuleOp,
        network: Network,
        planned: list[PlannedLayer],
        places: Places,
    ) -> tuple[list[PlannedLayer], Places]:
        """Put layers into groups where tensors have no room; return the layers and the places as they are then.

        With all other tensors on chip there may be less room for what is between the layers of groups than by
        themselves. Then either it stays before others, or the layers are no group: whichever leaves fewer bytes to go
        through global memory.
        """
        plan_of_ranges = replace(self, groups=False, alternatives=False, objective="latency")
        search = GroupSearch(network.store, module, plan_of_ranges.run, network.cores)
        found = search.run(network.without_room(places))
        if self._recorder is not None:
            self._recorder.ranges = search.considered
        if not found:
            return planned, places
        tried = [
            self._tried(replace(network, slices_first=first), found) for first in (False, True)
        ]
        best = min(tried, key=lambda each: each.moved_bytes)
        for each in best.groups:
            group_layers(network.program, search.layers[each.first : each.last + 1], each.group)
        self.count("groups", len(best.groups))
        if self._recorder is not None and best.record is not None:
            self._recorder.take(best.record)
        return best.planned, best.places

    def _tried(self, network: Network, found: Sequence[FoundGroup]) -> _Grouped:
        """Return how a network is planned with those groups for whose layers there is room."""
        groups, layers = list(found), network.program.layers
        while True:
            network = replace(network)
            made = [
                group_layers(network.program, layers[each.first : each.last + 1], each.group)
                for each in groups
            ]
            planned, places = self._planned(network)
            lacking = network.without_room(places)
            crowded = [
                each
                for each, op in zip(groups, made, strict=True)
                if lacking & {layer.output for layer in op.layers[:-1]}
            ]
            for op in made:
                dissolve(op)
            if not crowded:
                record = None if self._recorder is None else replace(self._recorder)
                return _Grouped(groups, planned, places, network.moved_bytes(places), record)
            groups = [each for each in groups if each not in crowded]

    def _placed(
        self, planned: PlannedLayer, kept: Collection[SSAValue], in_place: Collection[SSAValue]
    ) -> PlannedLayer:
        """Return a layer whose schedule says where the output lies."""
        schedule, output = planned.schedule, planned.layer.operation.output
        if output in kept:
            schedule = replace(schedule, output="in_place" if output in in_place else "local")
        elif schedule.output is None:
            schedule = replace(schedule, output="global")
        return replace(planned, schedule=schedule)


def _check_room(layer: Layer, refused: Mapping[SSAValue, Shortage]) -> None:
    """Raise DiagnosticError if the output of a layer has no room in local memories, where it should stay."""
    short = refused.get(layer.output.value)
    if short is None:
        return
    raise layer.schedule_error(
        "output",
        f"'{layer.output.name}' has no room in local memory: it needs {short.needed_bytes} bytes of core {short.core} "
        f"while '{short.layer}' runs, whose tiles, with what else stays, leave {short.free_bytes}",
        "say 'output = global', divide the layer among more cores, give the layers smaller tiles, or compile for a "
        "target with more local memory",
    )


def _check_fits(planned: Sequence[PlannedLayer], short: Shortage | None) -> None:
    """Raise DiagnosticError if a plan that obeys schedules does not fit a memory."""
    if short is None:
        return
    layers = [each.layer for each in planned]
    at = next(layer for layer in layers if layer.name == short.layer)
    fields = "slice_weights tile depth block output"
    written = [
        layer
        for layer in (at, *layers)
        if any(name in layer.operation.decided.places for name in fields.split())
    ]
    raise (written or [at])[0].schedule_error(
        fields,
        f"what schedules ask for does not fit: while '{short.layer}' runs, one tile of it, with the tensors and "
        f"weights that stay, needs {short.needed_bytes} bytes of core {short.core}, which has {short.free_bytes}",
        "say 'output = global' or 'slice_weights = reloaded', give smaller tiles, or compile for a target with more "
        "local memory",
    )


@dataclass
class _Grouped:
    """A network with groups: its layers, where their outputs lie, the bytes that go through global memory, and what was
    noted of how it is planned, if anything is.
    """

    groups: Sequence[FoundGroup]
    planned: list[PlannedLayer]
    places: Places
    moved_bytes: int
    record: PlanRecorder | None
