"""Cuts instructions out of a program, into one that runs by itself on the bytes that they really saw.

Bytes that chosen instructions read and other instructions wrote become inputs, as tensors of bytes. Bytes of global
memory that chosen ones write become outputs, and so do those of local memory that others read. An input or output of
the whole program keeps its name and type. What crosses in local memory is loaded right before it is read, and stored
before it is overwritten. The waits are derived anew from the bytes that are left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ....backends.instructions.instruction_set import ENGINES
from ....backends.instructions.movement import Sync
from ....backends.numerics.ports.port_format import PortFormat
from ....backends.program.assemble import assemble
from ....backends.program.program import Program
from ....backends.simulator.functional.functional_simulator import FunctionalSimulator, Stretch
from ....backends.simulator.functional.schedule import execution_order
from ....backends.simulator.streams.streams import Streams, decode_program
from ....backends.targets.alignment import align
from ....dialects import isa
from ....passes.tile_to_isa.listings import Work, listings
from ....passes.tile_to_isa.waits import Step, derive_waits
from ..experiment import IrExperiment
from .global_areas import Area, GlobalUse, find_areas
from .local_crossings import find_crossings
from .local_ports import local_values, make_local_ports, moves_of
from .selection import Selection


def extract_instructions(
    experiment: IrExperiment, selection: Selection, inputs: Mapping[str, np.ndarray]
) -> tuple[IrExperiment, dict[str, np.ndarray]]:
    """Return the chosen instructions as a program of their own, and its inputs.

    Raises DiagnosticError if no instruction has one of the names, if the inputs do not fit, if an instruction reads
    bytes of global memory of chosen and of other instructions at once, or if accumulators go from one to the other.
    """
    program = assemble(experiment.module, experiment.ctx)
    streams = decode_program(program)
    order = execution_order(streams)
    ops = [op for op in experiment.module.walk() if isinstance(op, isa.InstructionOp)]
    names = ["" if op.origin is None else op.origin.data for op in ops]
    # What does nothing but wait is made anew, where waits that are left need it.
    kept = {n for n in selection.of(ops, names, order) if streams.kinds[n] is not Sync}
    areas = find_areas(streams, order, kept)
    places: dict[int, list[tuple[GlobalUse, Area]]] = defaultdict(list)
    for area in areas:
        for use in area.uses:
            places[use.number].append((use, area))
    ports, segments = _ports(areas)
    taken = {side: {port.port_name.data for port in own} for side, own in ports.items()}
    local = make_local_ports(find_crossings(streams, order, kept), segments, taken)
    for port in local:
        ports[port.crossing.side].append(port.attribute)
    moves = moves_of(local, ops)
    work: list[Work] = []
    for number in order:
        work += moves.get(number, [])
        if number in kept:
            work.append(_work(ops[number], streams, number, places[number]))
    work += moves.get(None, [])
    part = replace(experiment, module=experiment.module.clone())
    _replace_program(part.module, program, work, ports, segments)
    simulator = FunctionalSimulator(program, streams)
    values = _area_values(areas, simulator, inputs)
    return part, {**values, **local_values(local, simulator, inputs)}


def _replace_program(
    module: ModuleOp,
    program: Program,
    work: Sequence[Work],
    ports: Mapping[str, Sequence[isa.PortAttr]],
    segments: Mapping[str, int],
) -> None:
    """Put a program of `work` with these ports and segments in the place of a module's `program`."""
    block = module.body.block
    old = next(op for op in block.ops if isinstance(op, isa.ProgramOp))
    plan = derive_waits([item.step for item in work])
    new = isa.ProgramOp.get(
        old.sym_name.data,
        old.target.data,
        old.target_hash.data,
        counters=plan.counters,
        segments={"weights": program.segment_sizes["weights"], **segments},
        inputs=ports["input"],
        outputs=ports["output"],
        streams=[
            isa.StreamOp.get(core, program.local_bytes[core], program.acc_bytes[core], listing)
            for core, listing in enumerate(listings(work, plan, len(program.streams)))
        ],
        calls=() if old.calls is None else old.calls.data,
        key=None if old.key is None else old.key.data,
    )
    block.insert_op_before(new, old)
    block.erase_op(old)


def _ports(areas: Sequence[Area]) -> tuple[dict[str, list[isa.PortAttr]], dict[str, int]]:
    """Return the ports for the areas, which get their places, and the sizes of the segments."""
    ports: dict[str, list[isa.PortAttr]] = {"input": [], "output": []}
    sizes = {"input": 0, "output": 0, "scratch": 0}
    for area in areas:
        area.offset = sizes[area.side]
        sizes[area.side] = align(area.offset + area.high - area.low)
        form = PortFormat.plain((area.high - area.low,), "u8")
        if area.port is not None:
            form = area.port.format
        ports[area.side].append(
            isa.PortAttr.get(area.name, form.storage, form.shape, area.offset, form)
        )
    return ports, sizes


def _work(
    op: isa.InstructionOp,
    streams: Streams,
    number: int,
    places: Sequence[tuple[GlobalUse, Area]],
) -> Work:
    """Return an instruction, with the new places of the areas that it touches."""
    kind, values = streams.kinds[number], op.values()
    fields: dict[str, Any] = {f.name: values[f.name] for f in kind.fields}
    for use, area in places:
        fields[f"{use.field}_segment"] = area.side
        fields[use.field] += area.offset - area.low
    # Members of a multicast that were not chosen are gone: each moves its bytes by itself.
    if "group" in fields:
        fields["group"] = 0
    engine = ENGINES.index(op.engine)  # type: ignore[arg-type]
    step = Step(streams.core[number], engine, kind.accesses({**values, **fields}))
    origin = None if op.origin is None else op.origin.data
    return Work(step, kind.mnemonic, fields, origin, op.location)


def _area_values(
    areas: Sequence[Area], simulator: FunctionalSimulator, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what the areas that are read held at the time, byte by byte.

    The instruction that reads one part may run before another part is written.
    """
    values: dict[str, np.ndarray] = {}
    reads: list[tuple[Area, GlobalUse]] = []
    for area in areas:
        if area.side == "input" and area.port is not None:
            values[area.name] = np.asarray(inputs[area.name])
        elif area.side == "input":
            values[area.name] = np.zeros(area.high - area.low, np.uint8)
            reads += [(area, use) for use in area.uses]
    wanted = [
        (use.number, Stretch("global", area.segment, *use.access.extent())) for area, use in reads
    ]
    seen = simulator.bytes_before(inputs, wanted)
    for (area, use), data in zip(reads, seen, strict=True):
        value, begin = values[area.name], use.access.extent()[0]
        for low, high in use.access.intervals().tolist():
            value[low - area.low : high - area.low] = data[0, low - begin : high - begin]
    return values
