"""What `tile-plan` decides about each layer, and among which candidates: the trace of its decisions, as plain data.

Cycles are those of the cost model, rounded; bytes are those of one core. The names of fields and reasons are those of
the JSON document that `PlanTrace.json` writes and `read_trace` reads. A change of their meaning raises `VERSION`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from ....backends.diagnostics.diagnostic import DiagnosticError, Place

FORMAT = "smalti-plan-trace"
VERSION = 3

DecidedBy = Literal["search", "schedule"]
"""Who decided: `search`, the pass among the candidates; `schedule`, what the layer's schedule said before."""

PlaceReason = Literal[
    "fits", "schedule", "option", "port", "no_axes", "address", "layer", "no_room"
]
"""Why an output is where it is. It stays in local memories: `fits`. It does not: `option`, on-chip=false; `port`, it is
an output of the network; `no_axes`, it is one number; `address`, it has an address in global memory; `layer`, a layer
that writes or reads it can do so in global memory only; `no_room`, a core has too little memory left. Either:
`schedule`.
"""

InPlaceReason = Literal["joined", "slice", "schedule", "no_alias", "apart", "no_room", "option"]
"""Why an output that stays on chip lies in the buffer of another tensor, or does not. It does: `joined`, the other is
joined of it; `slice`, it is a slice of the other. It does not: `no_alias`, it is neither, or the other does not stay;
`apart`, no core keeps the same elements of both; `no_room`, the larger buffer would be in use for too long; `option`,
in-place=false. Either: `schedule`.
"""

SendingReason = Literal["schedule", "shared", "not_shared", "option"]
"""Why cores get at once what they share, or not: `shared`, several need the same; `not_shared`, no two do; `option`,
the target or an option of the pass does not allow it; `schedule`.
"""

GroupReason = Literal["schedule", "gains", "gains_little", "crowded", "not_played"]
"""Why layers are a group, or not. They are: `schedule`; `gains`, they take fewer cycles slice by slice. They are not:
`gains_little`, not enough fewer; `crowded`, with all other tensors that stay on chip there is no room for what is
between them; `not_played`, they cannot be carried out by themselves, or too many others were tried before.
"""

Limit = Literal["matrix", "vector", "exchange", "memory"]
"""What a layer takes most of its cycles for: a unit, copies between local memories, or waiting for global memory."""


@dataclass(frozen=True)
class SplitEstimate:
    """The estimated cycles of a layer in some parts: those of the busiest core for each unit, and those for which all
    cores together use what they share.
    """

    matrix_cycles: int
    vector_cycles: int
    load_cycles: int
    """Loads from global memory, over its bus; they run ahead of the layer."""
    store_cycles: int
    """Stores to global memory, over its bus."""
    exchange_cycles: int
    """Copies between local memories, over the interconnect or, with loads, through the port of the busiest core."""
    part_cycles: int
    """What parts cost by their number: the start of their instructions, and the wait for all of them."""
    sending_cycles: int
    """The latency of what other cores send, 0 if they send nothing."""
    waiting_cycles: int
    """How long the layer waits for its loads after the layer before it is done."""
    layer_cycles: int
    """The layer from the end of the one before it, without `waiting_cycles`."""

    @property
    def limit(self) -> Limit:
        """What most of the cycles are for."""
        cycles: dict[Limit, int] = {
            "matrix": self.matrix_cycles,
            "vector": self.vector_cycles,
            "exchange": self.exchange_cycles,
            "memory": self.waiting_cycles,
        }
        return max(cycles, key=lambda name: cycles[name])


@dataclass(frozen=True)
class SplitCandidate:
    """A way to divide a layer over cores. `split` is None if the parts are windows that a schedule gives."""

    cores: tuple[int, ...]
    split: tuple[int, ...] | None
    is_chosen: bool
    estimate: SplitEstimate
    done_cycles: int | None
    """When the last tile of the layer is done, from the start of the network, if all other layers stay as they are: by
    the timeline of whole layers that the search for splits compares. None if each layer is divided for itself.
    """
    network_cycles: int | None
    """What the search minimizes, if all other layers stay as they are: the estimated cycles of the network, and a
    sixteenth of the work of its layers. None if each layer is divided for itself.
    """

    @property
    def compared_cycles(self) -> int:
        """What the candidate is chosen by: the cycles of the network, or of the layer by itself."""
        return self.estimate.layer_cycles if self.network_cycles is None else self.network_cycles


@dataclass(frozen=True)
class SplitDecision:
    """How a layer is divided, the candidates best first. Of the `possible` ways, those that take the layer by itself
    the most cycles are no candidates.
    """

    decided_by: DecidedBy
    possible: int
    candidates: tuple[SplitCandidate, ...]

    @property
    def chosen(self) -> SplitCandidate:
        """The candidate that was chosen."""
        return next(each for each in self.candidates if each.is_chosen)

    @property
    def margin(self) -> float | None:
        """By which share of its cycles the best of the other candidates is worse; None if there is none. It is below 0
        where the search, which keeps only some of all combinations, has missed a better one.
        """
        others = [each.compared_cycles for each in self.candidates if not each.is_chosen]
        own = self.chosen.compared_cycles
        return min(others) / own - 1 if others and own else None


@dataclass(frozen=True)
class TileCandidate:
    """A size of tiles for a layer, as fields of a schedule, and the bytes of a tile's buffers.

    `depth` and `order` are None for layers without products. The cycles of the first part are estimated by stages that
    run side by side; they are None where that is not needed to choose: because the tile does not fit, because the first
    one that fits is taken, or because only the search of all layers' tiles together looks at it.
    """

    tile: tuple[int, ...]
    depth: int | None
    order: str | None
    is_chosen: bool
    fits: bool
    """Whether the buffers of a tile fit into `share` of each memory."""
    share: float
    local_bytes: int
    acc_bytes: int
    load_cycles: int | None
    matrix_cycles: int | None
    vector_cycles: int | None
    store_cycles: int | None
    cycles: int | None
    done_cycles: int | None
    """When the last tile of the layer is done, from the start of the network, if the layers before it have the tiles
    that are best for this one. None if the tiles of all layers are not chosen together, or not among this one.
    """


@dataclass(frozen=True)
class TileDecision:
    """In which tiles the first part of a layer is computed: those that the search of all layers' tiles looked at, by
    `done_cycles`, then others that fit, by cycles. A schedule that gives the tile leaves at most one candidate.
    """

    decided_by: DecidedBy
    candidates: tuple[TileCandidate, ...]


@dataclass(frozen=True)
class Shortage:
    """A core's memory that has too little room for a tensor while a layer runs."""

    layer: str
    core: int
    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class PlaceDecision:
    """Where a layer's output lies.

    `at` is the layer that cannot write or read it elsewhere, if that is why. `bytes_per_core` is what it takes of the
    local memory of the core that keeps most of it, `until` the last layer that reads it; None if it does not stay.
    """

    place: Literal["local", "in_place", "global"]
    why: PlaceReason
    at: str | None = None
    shortage: Shortage | None = None
    bytes_per_core: int | None = None
    until: str | None = None
    in_place: InPlaceReason | None = None
    inside: str | None = None
    """The tensor whose buffer it lies in, or could."""


@dataclass(frozen=True)
class SendingDecision:
    """How cores get what several of them need. `value` is None where a layer needs nothing of the kind; `sharing` is
    how many cores need the same at most.
    """

    value: Literal["multicast", "separate"] | None
    why: SendingReason
    sharing: int


@dataclass(frozen=True)
class GroupCandidate:
    """A number of slices for a group, 1 for its layers as they are, and the cycles that they take by themselves, with
    nothing around them. None: not played.
    """

    slices: int
    cycles: int | None
    is_chosen: bool


@dataclass(frozen=True)
class GroupDecision:
    """The group that a layer is in, or could be in, with the names of all its `layers`.

    `axis`, `slices`, `halos` and `order` are its fields in a schedule; if it is not made, those of the best one that
    was tried, or None if none was. `gain` is the share of its cycles that it saves, and `least_gain` what it must save;
    both are None if a schedule gives the group. In a slice the layer computes at most `slice_shape` of its output, if
    the group is made.
    """

    layers: tuple[str, ...]
    is_made: bool
    why: GroupReason
    axis: int | None
    slices: int | None
    halos: Literal["kept", "recomputed"] | None
    order: Literal["depth_first", "pipelined"] | None
    gain: float | None
    least_gain: float | None
    candidates: tuple[GroupCandidate, ...]
    slice_shape: tuple[int, ...] | None


@dataclass(frozen=True)
class LayerDecisions:
    """What is decided about a layer. `group` is None if no group with it was considered.

    `name` is that of its op's result, `nodes` are the ONNX nodes that it stems from, `shape` is that of its output.
    `schedule` is the text of the whole schedule. After `done_cycles` from the start of the network its last tile is
    done: this is the estimate of the plan as a whole, with the loads of all layers, and the best one in the trace.
    """

    name: str
    op: str
    nodes: tuple[str, ...]
    shape: tuple[int, ...]
    storage: str
    split: SplitDecision
    tile: TileDecision
    output: PlaceDecision
    weights: SendingDecision
    activations: SendingDecision
    group: GroupDecision | None
    schedule: str
    done_cycles: int


@dataclass(frozen=True)
class WholePlan:
    """A way to plan the whole network, and when its last layer is done: with the samples of a batch apart, each on
    cores of its own, or not. `part_cycles` are what one more core was taken to cost a layer, if the plans differ in it.
    """

    samples_apart: bool
    done_cycles: int
    is_chosen: bool
    part_cycles: int | None = None


@dataclass(frozen=True)
class PlanTrace:
    """The decisions about all layers of a network, in their order; `plans` are those of the whole network that were
    compared, if there were several.
    """

    network: str
    target: str
    cores: int
    layers: tuple[LayerDecisions, ...]
    plans: tuple[WholePlan, ...] = ()
    format: str = FORMAT
    version: int = VERSION

    def __repr__(self) -> str:
        return f"<PlanTrace of '{self.network}' for {self.target}: {len(self.layers)} layers>"

    def __iter__(self) -> Iterator[LayerDecisions]:
        return iter(self.layers)

    def json(self) -> str:
        """Return the trace as one JSON document, with a line for each layer."""
        head = {
            "format": self.format,
            "version": self.version,
            "network": self.network,
            "target": self.target,
            "cores": self.cores,
            "plans": [asdict(each) for each in self.plans],
        }
        layers = ",\n".join(json.dumps(asdict(layer)) for layer in self.layers)
        return f'{json.dumps(head)[:-1]}, "layers": [\n{layers}\n]}}\n'


def read_trace(text: str, file: str | None = None) -> PlanTrace:
    """Read what `PlanTrace.json` writes. Raises DiagnosticError if it is something else, or of another version."""
    from pydantic import TypeAdapter, ValidationError

    place = Place(file=file)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DiagnosticError(f"this is no JSON: {error}", place) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DiagnosticError(
            "this is no trace of a plan", place, hint="smalti compile --plan-trace writes one"
        )
    if content.get("version") != VERSION:
        raise DiagnosticError(
            f"this trace has version {content.get('version')}, expected {VERSION}",
            place,
            hint="write it again with this version of Smalti",
        )
    try:
        return TypeAdapter(PlanTrace).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DiagnosticError(f"{where}: {first['msg']}", place) from None
