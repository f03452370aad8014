"""`tile-plan`: decides how each layer is carried out, and writes it into the layer's schedule.

Before:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] { … }

After:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0, 1],
        split = [1, 1, 2, 1], tile = [1, 64, 14, 56], depth = 64, order = channels_outer, block = 64> { … }

What a schedule has already, by hand or by another pass, stays as it is; the rest is chosen by the cost model: with
`splits=together` the splits of all layers in one search (`split_search.py`), with `splits=by-layer` those that are best
for each layer alone. `parts` bounds into how many parts a layer is divided. With `on_chip`, tensors between layers stay
in the local memories of the cores that compute them, where they have room; with `in_place` in the buffer of the tensor
that is joined of them, or of which they are slices. With `multicast_weights`, cores that need
the same weights load them at once, if the target can; with `multicast_activations`, a core sends what several others
read of its part to all of them at once. The passes that follow obey the schedule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...dialects.ir.weights import WeightStore
from ...dialects.tile import Schedule
from ...dialects.tile.schedule import ScheduleAttr
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tiling.cost import CostModel
from ..tiling.tile_sizes import TriedTile
from ..tiling.windows import Window
from .layer_parts import Parts, cheapest, check_core_count, possible_parts
from .multicast import loads_of_weights, sends_of_activations
from .places import (
    PlannedLayer,
    choose_places,
    kept_tensors,
    mark_kept,
    tensors_in_place,
    that_may_stay,
)
from .plan_recorder import PlanRecorder
from .split_search import choose_parts, considered_alone
from .tiler_bases.constants import Constants
from .tiler_bases.layer import Buffer, Layer
from .tiler_bases.tiler import Tiler
from .tilers.registry import tiler_of

SPLITS = ("together", "by-layer")
"""How layers are divided, as the option `splits` says."""


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
    parts: int | None = None
    """Into how many parts a layer is divided at most; as many as there are cores unless given."""

    def __post_init__(self) -> None:
        """Raise DiagnosticError if an option has no such value."""
        if self.splits not in SPLITS:
            raise DiagnosticError(
                f"option 'splits' is {self.splits}, expected one of {', '.join(SPLITS)}",
                Place(name=f"pass '{self.name}'"),
                hint=did_you_mean(self.splits, SPLITS),
            )
        if self.parts is not None and self.parts < 1:
            raise DiagnosticError(
                f"option 'parts' is at least 1, got {self.parts}", Place(name=f"pass '{self.name}'")
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
            target, can and self.multicast_weights, can and self.multicast_activations
        )
        recorder = self._recorder
        notes = None if recorder is None else recorder.places
        network = _Network(tile.program_of(module), costs, store_of(ctx), cores, self, recorder)
        kept, in_place = kept_tensors(network.program), tensors_in_place(network.program)
        if self.on_chip:
            tilers = (tiler_of(layer, costs) for layer in network.layers(kept))
            kept = that_may_stay(tilers, notes)
        planned = network.planned(kept)
        if self.on_chip:
            # First as if all could stay, then as those do for which there is room.
            places = choose_places(planned, kept, notes, self.in_place)
            if places.kept != kept:
                planned = network.planned(places.kept)
                places = choose_places(planned, places.kept, notes, self.in_place)
            kept, in_place = places
        planned = [self._placed(each, kept, in_place) for each in planned]
        if recorder is not None:
            recorder.finish(network.program.sym_name.data, planned, costs, cores, in_place)
        for each in planned:
            operation, schedule = each.layer.operation, each.schedule
            self.count("local", int(schedule.stays_on_chip))
            self.count("in_place", int(schedule.output == "in_place"))
            self.count("multicast", int(schedule.weights == "multicast"))
            if schedule != operation.decided:
                operation.properties["schedule"] = ScheduleAttr(schedule)
                self.count("planned")

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


@dataclass(frozen=True)
class _Network:
    """The layers of a program, to be planned on at most `cores` cores as the options of the pass say."""

    program: tile.ProgramOp
    costs: CostModel
    store: WeightStore
    cores: int
    options: Plan
    recorder: PlanRecorder | None

    def layers(self, kept: frozenset[SSAValue]) -> list[Layer]:
        """Read the layers; the tensors `kept` stay in local memories."""
        ops = list(self.program.body.block.ops)
        buffers: dict[SSAValue, Buffer] = {
            op.output: Buffer.of(op) for op in ops if isinstance(op, tile.GlobalOp)
        }
        mark_kept(buffers, kept)
        layers = [Layer.of(op, buffers) for op in ops if isinstance(op, tile.LayerOp)]
        siblings: dict[SSAValue, list[Window]] = defaultdict(list)
        for layer in layers:
            siblings[layer.operation.output].append(layer.window)
            layer.siblings = siblings[layer.operation.output]
        return layers

    def planned(self, kept: frozenset[SSAValue]) -> list[PlannedLayer]:
        """Complete the schedule of each layer. Raises DiagnosticError if one cannot be carried out."""
        constants = Constants(self.store)
        layers = self.layers(kept)
        tilers = [tiler_of(layer, self.costs) for layer in layers]
        options = [self._options(*each) for each in zip(layers, tilers, strict=True)]
        recorder = self.recorder
        if recorder is not None:
            recorder.begin_round(options)
        if self.options.splits == "together":
            chosen = choose_parts(tilers, options, recorder and recorder.splits)
        else:
            chosen = [cheapest(*each) for each in zip(tilers, options, strict=True)]
            if recorder is not None:
                recorder.splits = [
                    considered_alone(*each) for each in zip(tilers, options, strict=True)
                ]
        tried = [None] * len(layers) if recorder is None else recorder.tiles
        return [
            _complete(*each, self.costs, constants)
            for each in zip(layers, tilers, chosen, tried, strict=True)
        ]

    def _options(self, layer: Layer, tiler: Tiler) -> list[Parts]:
        """Return the ways to divide a layer."""
        core = layer.operation.core
        if core is not None:
            return [Parts((core.value.data,), (layer.window,), None)]
        decided, most = layer.operation.decided, self.options.parts
        return possible_parts(layer, tiler, decided, self.cores, most)


def _complete(
    layer: Layer,
    tiler: Tiler,
    parts: Parts,
    tried: list[TriedTile] | None,
    costs: CostModel,
    constants: Constants,
) -> PlannedLayer:
    """Return a layer with its schedule, with all that it leaves out but the place of the output. What is looked at for
    tiles of the first part is appended to `tried`, if that is a list.
    """
    decided = layer.operation.decided
    if layer.operation.core is not None:
        schedule = _planned(tiler, layer.window, decided, constants, tried).over(decided)
        return PlannedLayer(layer, tiler, schedule, parts.cores, parts.windows)
    layer.siblings = list(parts.windows)
    tiler = tiler_of(layer, costs)
    planned = [
        _planned(tiler, window, decided.of_part(number), constants, None if number else tried)
        for number, window in enumerate(parts.windows)
    ]
    schedule = _joined(tiler, parts.windows, planned, constants).over(
        parts.complete(decided, layer.rank)
    )
    if schedule.weights is None:
        # A product that has no weights to share says so, too, so that no later pass decides it.
        alone = "separate" if schedule.block is not None else None
        schedule = replace(schedule, weights=loads_of_weights(tiler, parts) or alone)
    if schedule.activations is None:
        schedule = replace(schedule, activations=sends_of_activations(tiler, parts))
    return PlannedLayer(layer, tiler, schedule, parts.cores, parts.windows)


def _planned(
    tiler: Tiler,
    window: Window,
    decided: Schedule,
    constants: Constants,
    tried: list[TriedTile] | None,
) -> Schedule:
    tiler.tried = tried
    schedule = tiler.plan(window, decided, constants)
    tiler.tried = None
    return schedule


def _joined(
    tiler: Tiler, windows: tuple[Window, ...], planned: list[Schedule], constants: Constants
) -> Schedule:
    """Return what the schedules of the parts say as one: a value for all parts if the first part's means the same for
    each of the others, else a value for each part.
    """
    first = planned[0]
    if all(
        other == first or tiler.plan(window, first, constants) == other
        for window, other in zip(windows, planned, strict=True)
    ):
        return first
    values: dict[str, Any] = {
        name: tuple(getattr(each, name)[0] for each in planned)
        for name in ("tile", "depth", "order")
        if getattr(first, name) is not None
    }
    return replace(first, **values)
