"""Cuts instructions out of a program, into one that runs by itself on the bytes that they really saw.

Bytes of global memory that other instructions wrote become inputs, and bytes that the chosen ones write become
outputs, as tensors of bytes. An input or output of the whole program keeps its name and type. The waits are derived
anew from the bytes that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import ENGINES, SEGMENTS, Access
from ...backends.instructions.movement import Sync
from ...backends.program.assemble import assemble
from ...backends.program.program import Port, Program
from ...backends.simulator.functional.functional_simulator import FunctionalSimulator, Stretch
from ...backends.simulator.functional.schedule import execution_order
from ...backends.simulator.streams.streams import Streams, decode_program
from ...backends.targets.alignment import align
from ...dialects import isa
from ...passes.tile_to_isa.listings import Work, listings
from ...passes.tile_to_isa.waits import Step, derive_waits
from .experiment import IrExperiment
from .selection import Selection

_WEIGHTS = SEGMENTS.index("weights")


@dataclass
class _Area:
    """Bytes [low, high) of a segment that become one input or output (`side`) of the new program, where they start at
    `offset`.
    """

    side: str
    segment: int
    low: int
    high: int
    offset: int = 0


def extract_instructions(
    experiment: IrExperiment, selection: Selection, inputs: Mapping[str, np.ndarray]
) -> tuple[IrExperiment, dict[str, np.ndarray]]:
    """Return the chosen instructions as a program of their own, and its inputs.

    Raises DiagnosticError if no instruction has one of the names, if the inputs do not fit, or if an instruction
    reads bytes of chosen and of other instructions at once.
    """
    program = assemble(experiment.module, experiment.ctx)
    streams = decode_program(program)
    order = execution_order(streams)
    ops = [op for op in experiment.module.walk() if isinstance(op, isa.InstructionOp)]
    names = ["" if op.origin is None else op.origin.data for op in ops]
    # What does nothing but wait is made anew, where waits that are left need it.
    kept = {n for n in selection.of(ops, names, order) if streams.kinds[n] is not Sync}
    sides = _sides(streams, order, kept)
    order = [number for number in order if number in kept]
    areas = _areas(streams, order, sides)
    ports, segments = _ports(program, areas)
    work = [_work(ops[number], streams, number, areas, sides) for number in order]
    copy = replace(experiment, module=experiment.module.clone())
    old = next(op for op in copy.module.body.block.ops if isinstance(op, isa.ProgramOp))
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
            for core, listing in enumerate(listings(work, plan, streams.cores))
        ],
        key=None if old.key is None else old.key.data,
    )
    block = copy.module.body.block
    block.insert_op_before(new, old)
    block.erase_op(old)
    return copy, _values(program, streams, order, areas, sides, inputs)


def _global_access(streams: Streams, number: int) -> Access | None:
    """Return what an instruction touches of global memory apart from weights, or None."""
    for access in streams.accesses(number):
        if access.space == "global" and access.segment != _WEIGHTS:
            return access
    return None


def _sides(streams: Streams, order: Sequence[int], kept: set[int]) -> dict[int, str]:
    """Return for each chosen instruction that touches global memory whether that becomes "input" or "output".

    Outputs are written by chosen instructions, and may be read again by them.
    """
    sizes = streams.program.segment_sizes
    own = [np.zeros(sizes.get(name, 0), np.bool_) for name in SEGMENTS]
    sides: dict[int, str] = {}
    for number in order:
        access = _global_access(streams, number)
        if access is None:
            continue
        runs = access.intervals().tolist()
        if access.write:
            for low, high in runs:
                own[access.segment][low:high] = number in kept
            sides[number] = "output"
        elif number in kept:
            written = [own[access.segment][low:high] for low, high in runs]
            some = any(part.any() for part in written)
            if some and not all(part.all() for part in written):
                raise DiagnosticError(
                    f"{streams.name(number)} reads bytes of chosen and of other instructions at once",
                    hint="choose whole ops",
                )
            sides[number] = "output" if some else "input"
    return sides


def _areas(streams: Streams, order: Sequence[int], sides: Mapping[int, str]) -> list[_Area]:
    """Return the areas of global memory, by side, segment and address."""
    found: list[_Area] = []
    for number in order:
        access = _global_access(streams, number)
        if access is None:
            continue
        area = _Area(sides[number], access.segment, *access.extent())
        for other in [o for o in found if _overlap(o, area)]:
            found.remove(other)
            low, high = min(other.low, area.low), max(other.high, area.high)
            area = replace(area, low=low, high=high)
        found.append(area)
    return _without_seams(sorted(found, key=lambda a: (a.side, a.segment, a.low)))


def _without_seams(areas: Sequence[_Area]) -> list[_Area]:
    """Join areas of one kind that touch, such as those of neighboring tiles."""
    result: list[_Area] = []
    for area in areas:
        last = result[-1] if result else None
        if last is not None and (last.side, last.segment, last.high) == (
            area.side,
            area.segment,
            area.low,
        ):
            last.high = area.high
        else:
            result.append(area)
    return result


def _overlap(a: _Area, b: _Area) -> bool:
    return (a.side, a.segment) == (b.side, b.segment) and a.low < b.high and b.low < a.high


def _ports(
    program: Program, areas: Sequence[_Area]
) -> tuple[dict[str, list[isa.PortAttr]], dict[str, int]]:
    """Return the ports for the areas, which get their places, and the sizes of the segments."""
    ports: dict[str, list[isa.PortAttr]] = {"input": [], "output": []}
    sizes = {"input": 0, "output": 0, "scratch": 0}
    for area in areas:
        known = _port_of(program, area)
        if known is not None:
            area.low, area.high = known.offset, known.offset + known.size
        area.offset = sizes[area.side]
        sizes[area.side] = align(area.offset + area.high - area.low)
        name, storage, shape = _name(area), "u8", (area.high - area.low,)
        if known is not None:
            name, storage, shape = known.name, known.storage, known.shape
        ports[area.side].append(isa.PortAttr.get(name, storage, shape, area.offset))
    return ports, sizes


def _name(area: _Area) -> str:
    return f"{SEGMENTS[area.segment]}_0x{area.low:x}"


def _port_of(program: Program, area: _Area) -> Port | None:
    """Return the input or output of the whole that an area is a part of, or None."""
    ports = {"input": program.inputs, "output": program.outputs}.get(SEGMENTS[area.segment], [])
    for port in ports:
        if port.offset <= area.low and area.high <= port.offset + port.size:
            return port
    return None


def _work(
    op: isa.InstructionOp,
    streams: Streams,
    number: int,
    areas: Sequence[_Area],
    sides: Mapping[int, str],
) -> Work:
    """Return an instruction with the areas' new places."""
    kind, values = streams.kinds[number], op.values()
    fields: dict[str, Any] = {f.name: values[f.name] for f in kind.fields}
    access = _global_access(streams, number)
    if access is not None:
        area = _area_of(areas, sides[number], access)
        end = "dst" if access.write else "src"
        fields[f"{end}_segment"] = area.side
        fields[end] += area.offset - area.low
    # Receivers of a multicast that were not chosen are gone: each loads for itself.
    if "group" in fields:
        fields["group"] = 0
    engine = ENGINES.index(op.engine)  # type: ignore[arg-type]
    step = Step(streams.core[number], engine, kind.accesses({**values, **fields}))
    origin = None if op.origin is None else op.origin.data
    return Work(step, kind.mnemonic, fields, origin, op.location)


def _area_of(areas: Sequence[_Area], side: str, access: Access) -> _Area:
    low, high = access.extent()
    return next(
        area
        for area in areas
        if (area.side, area.segment) == (side, access.segment)
        and area.low <= low
        and high <= area.high
    )


def _values(
    program: Program,
    streams: Streams,
    order: Sequence[int],
    areas: Sequence[_Area],
    sides: Mapping[int, str],
    inputs: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return what the areas that are read held at the time, byte by byte.

    The instruction that reads one part may run before another part is written.
    """
    values: dict[str, np.ndarray] = {}
    for area in areas:
        known = _port_of(program, area)
        if area.side == "input" and known is not None:
            values[known.name] = np.asarray(inputs[known.name])
        elif area.side == "input":
            values[_name(area)] = np.zeros(area.high - area.low, np.uint8)
    reads: dict[int, tuple[_Area, Access]] = {}
    for number in order:
        access = _global_access(streams, number)
        if access is not None and sides[number] == "input":
            area = _area_of(areas, "input", access)
            if _port_of(program, area) is None:
                reads[number] = area, access
    wanted = [
        (number, Stretch("global", area.segment, *access.extent()))
        for number, (area, access) in reads.items()
    ]
    seen = FunctionalSimulator(program, streams).bytes_before(inputs, wanted)
    for (number, stretch), data in zip(wanted, seen, strict=True):
        area, access = reads[number]
        begin = stretch.low
        for low, high in access.intervals().tolist():
            values[_name(area)][low - area.low : high - area.low] = data[
                0, low - begin : high - begin
            ]
    return values
