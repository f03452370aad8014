"""`tile-cut-to-local-memory`: replaces each layer by copies and computations on tiles that fit a
core's memories.

Before:

    tile.layer core 0 (%a = %x …) -> %y window = [0, 1, 0, 10] { %r = tpu.cast "y" %a … }

After:

    %t = tile.alloc core 0 : memref<1x16xf32, "local">
    tile.copy core 0 %x -> %t …
    %u = tile.alloc core 0 : memref<1x16xi8, "local">
    tile.convert core 0 %t -> %u …
    tile.copy core 0 %u -> %y …

Input windows include their halos. Weights are packed at compile time in the order in which the
units read them, and the parameters of requantization are made into tables; both become new
constants, and it is an error if weights that they replace have an address. The sizes of tiles and
the order of loops are those of the layer's schedule. Where it does not say, weights stay in local
memory while the rows change, or the rows while the weights do, whichever moves fewer bytes, and
tiles use half of the local memory where they can, so that the next tile's loads find room. Where the input's
contiguous axis is not the output's, a tile moves in whole runs and is transposed in local memory, if that takes fewer
cycles. Where a schedule says `output = local`, each core keeps its part of the output in one buffer, its slab, which
covers what the core reads beside it, and tiles are views of slabs (`tiler_bases/slabs.py`). Of a tensor between layers
of a group it keeps a slab for each slice, and where a schedule says `slice_weights = kept`, weights stay in local
memory from slice to slice. What a core needs of other cores' parts, these send. Where the schedules of parts of a
layer say `weights = multicast`, they load equal weights at once, and where they say `activations = multicast`, a core
sends equal elements to them at once (`multicast.py`). Each family of ops has a file in `tilers/`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.schedule import Sending
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tiling.cost import CostModel
from ..tiling.windows import Window
from .groups.slices import check_no_groups
from .planning.multicast import Multicasts
from .planning.place_checks import check_places
from .planning.places import kept_tensors, part_of, tensors_in_place
from .tiler_bases.constants import Constants
from .tiler_bases.emitter import Emitter, LoadedConstants
from .tiler_bases.layer import Buffer, Layer, mark_kept
from .tiler_bases.residents import Residents
from .tiler_bases.slabs import Part, SlabPlan
from .tiler_bases.tiler import Tiler
from .tilers.registry import tiler_of


@dataclass(frozen=True)
class CutToLocalMemory(SmaltiPass):
    """Make tiles of every layer; layers without a core run on core 0."""

    name = "tile-cut-to-local-memory"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "layers": "layers tiled",
        "tile_ops": "copies and computations on tiles that they became",
        "weights_replaced": "weights of which only the packed form is left",
        "multicasts": "groups of copies of equal elements that became one multicast each",
    }

    def run(self, ctx: Context, module: ModuleOp) -> None:
        costs = CostModel(target_of(module))
        program = tile.program_of(module)
        check_no_groups(program)
        block = program.body.block
        kept = kept_tensors(program)
        buffers: dict[SSAValue, Buffer] = {
            op.output: Buffer.of(op) for op in program.buffers if isinstance(op, tile.GlobalOp)
        }
        mark_kept(buffers, kept)
        layers = [Layer.of(op, buffers) for op in block.ops if isinstance(op, tile.LayerOp)]
        if not layers:
            return
        _find_siblings(layers)
        placed = _placed_weights(layers)
        constants = Constants(store_of(ctx))
        slabs = _slabs(layers, costs, tensors_in_place(program))
        residents, multicasts = Residents(slabs), Multicasts(block.ops)
        tilers: dict[tuple[SSAValue, int | None], Tiler] = {}
        loaded: dict[tuple[SSAValue, int], LoadedConstants] = defaultdict(dict)
        anchor: Operation | None = None
        for together in _loading_together(layers):
            parts: list[tuple[int, list[Operation]]] = []
            declarations: list[Operation] = []
            for layer in together:
                number = layer.operation.slice_number
                tiler = tilers.get((layer.output.value, number))
                if tiler is None:
                    tiler = tilers[layer.output.value, number] = tiler_of(layer, costs)
                elif not _same_computation(layer, tiler.layer):
                    raise DiagnosticError(
                        f"different ops write parts of buffer '{layer.output.name}'", layer.place
                    )
                check_places(layer, tiler, residents)
                core = _core_of(layer, costs)
                keeps = number is not None and layer.operation.decided.slice_weights == "kept"
                emitter = Emitter(
                    core,
                    layer.operation.location,
                    layer.op.result_name.data,
                    residents,
                    number,
                    loaded[layer.output.value, core] if keeps else None,
                )
                schedule = tiler.plan(layer.window, layer.operation.decided, constants)
                tiler.emit(layer.window, schedule, emitter, constants)
                parts.append((emitter.core, emitter.operations))
                declarations += emitter.declarations
            computation = multicasts.joined(parts, together[0].operation.decided)
            operations = [*declarations, *computation]
            block.insert_ops_before(operations, together[0].operation)
            anchor = anchor or next(iter(operations), None)
            self.count("tile_ops", len(operations))
        assert anchor is not None
        block.insert_ops_before(constants.operations, anchor)
        for layer in layers:
            layer.operation.detach()
            layer.operation.erase()
        self.count("layers", len(layers))
        self.count("multicasts", multicasts.made)
        _check_kept(placed)
        self._erase_unused(buffers, residents)

    def _erase_unused(self, buffers: dict[SSAValue, Buffer], residents: Residents) -> None:
        """Erase the weights that nothing reads any more, because only their packed form is read, and the tensors that
        are in local memories only.
        """
        for value, buffer in buffers.items():
            if value.first_use is None and (buffer.is_weights or residents.keeps(buffer)):
                value.owner.detach()  # pyright: ignore[reportAttributeAccessIssue]
                value.owner.erase()  # pyright: ignore[reportAttributeAccessIssue]
                self.count("weights_replaced", int(buffer.is_weights))


def _slabs(layers: Sequence[Layer], costs: CostModel, in_place: frozenset[SSAValue]) -> SlabPlan:
    """Plan where the tensors lie that stay in local memories."""
    numbers: dict[tuple[SSAValue, int | None], int] = {}
    parts: list[Part] = []
    for layer in layers:
        core, output = layer.operation.core, layer.output
        if output.is_kept or any(buffer.is_kept for buffer in layer.inputs):
            at = layer.operation.slice_number
            number = numbers.setdefault((output.value, at), len(numbers))
            own = 0 if core is None else core.value.data
            parts.append(part_of(number, layer, tiler_of(layer, costs), own, layer.window, at))
    return SlabPlan.of(parts, costs.lane_group, in_place)


def _loading_together(layers: list[Layer]) -> Iterator[list[Layer]]:
    """Return the layers one by one, but parts side by side whose cores get something at once as one list."""
    together: list[Layer] = []
    for layer in layers:
        last = together[-1].operation if together else None
        if last is not None and not (
            "multicast" in _sending(last.decided)
            and _sending(last.decided) == _sending(layer.operation.decided)
            and last.next_op is layer.operation
            and last.output == layer.operation.output
            and last.slice == layer.operation.slice
        ):
            yield together
            together = []
        together.append(layer)
    yield together


def _sending(schedule: tile.Schedule) -> tuple[Sending | None, Sending | None]:
    """Return what a schedule says of what several cores need: weights and activations."""
    return schedule.weights, schedule.activations


def _core_of(layer: Layer, costs: CostModel) -> int:
    """Return the core of a layer: 0 if it has none. Raises DiagnosticError if the target has no such core."""
    core = layer.operation.core
    number = 0 if core is None else core.value.data
    if number >= costs.cores:
        raise DiagnosticError(
            f"the layer is on core {number}, target '{costs.target.name}' has {costs.cores} cores",
            layer.place,
        )
    return number


def _placed_weights(layers: list[Layer]) -> list[tile.GlobalOp]:
    """Return the weights with an address that layers read."""
    read = [value.owner for layer in layers for value in layer.operation.inputs]
    globals_ = [op for op in read if isinstance(op, tile.GlobalOp)]
    weights = [op for op in globals_ if op.segment.data == "weights"]
    return [op for op in weights if op.address is not None]


def _check_kept(placed: list[tile.GlobalOp]) -> None:
    """Raise DiagnosticError if only the packed form of weights with an address is left: it has other bytes, may be
    several constants, and cannot take the address.
    """
    for op in placed:
        if op.output.first_use is None:
            assert op.address is not None
            raise DiagnosticError(
                f"weights '{op.buffer_name.data}' cannot keep address {op.address.value.data}: what is read of them is "
                "packed into new constants",
                place_of(op),
                hint="remove the address here, and give the packed constants addresses in the IR that "
                f"{CutToLocalMemory.name} makes",
            )


def _same_computation(a: Layer, b: Layer) -> bool:
    """Tell whether two layers are parts of one: the same op on the same buffers."""
    return (
        type(a.op) is type(b.op)
        and a.op.properties == b.op.properties
        and list(a.operation.inputs) == list(b.operation.inputs)
    )


def _find_siblings(layers: list[Layer]) -> None:
    """Note in each layer the windows of all layers that write the same output, in the same slice if it is in one."""
    windows: dict[tuple[SSAValue, int | None], list[Window]] = defaultdict(list)
    for layer in layers:
        windows[layer.output.value, layer.operation.slice_number].append(layer.window)
    for layer in layers:
        layer.siblings = windows[layer.output.value, layer.operation.slice_number]
