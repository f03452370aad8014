"""`convert-tile-to-isa`: from tiles to machine instructions, one listing per core, with the waits
that keep the bytes as in program order.

    tile.copy core 0 %image -> %x …
    tile.conv2d core 0 %x, %w -> %acc …
⇒
    isa.stream core(0) {
      d0: load src_space=global, dst_space=local, src=0x0, dst=0x400, run=512
      m0: conv2d x=0x400, w=0x0, acc=0x0, … after d0
    }

Copies become loads (queue dma_in) and stores (queue dma_out). Waits come from the bytes that
instructions touch (`waits.py`): within a core by name, between cores by counters. An instruction
waits for one counter; a `sync` before it waits for each further one. The copies of a multicast stand
side by side and write memories of their own, so all that one of them waits for stands before them all. If
they take several transfers each, their first transfers stand side by side, then their second ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import BY_MNEMONIC, ENGINES
from ...backends.numerics.functions.call import Call
from ...backends.numerics.storage import bytes_of, size_bytes
from ...backends.program.assemble import PROGRAM_WEIGHTS
from ...backends.targets.alignment import align
from ...dialects import isa, tile
from ...dialects.ir.attribute import values_of
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import target_name_of, target_of
from ...dialects.ir.weights import WeightStore
from ...dialects.isa.field_values import field_values
from ...dialects.quant.element_type import element_storage
from ...dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses
from ...dialects.tile.analysis.weight_data import weight_data
from ...dialects.tile.movement import events_of, group_of
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tile.given_addresses import check_given_addresses
from ..tiling.strided_copy import StridedCopy
from .listings import Work, listings
from .transfers import descriptors
from .unwritten_reads import check_written_before_read
from .waits import Step, WaitPlan, derive_waits


@dataclass(frozen=True)
class ConvertTileToIsa(SmaltiPass):
    """Translate the ops of a tile.program, place the weights' bytes, and derive waits and signals."""

    name = "convert-tile-to-isa"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "instructions": "instructions translated from tile ops",
        "syncs": "sync instructions added, for instructions that wait for several counters",
        "waits": "waits between engines and between cores",
    }

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Replace the tile.program by an isa.program; the bytes of its weights become an entry of the weight store.

        Raises DiagnosticError if layers are not tiled, if buffers have no addresses or are read before they are
        written, or if the machine cannot execute an op.
        """
        target, target_name = target_of(module), target_name_of(module)
        program = tile.program_of(module)
        steps = program.steps
        uses = buffer_uses(program, steps)
        check_given_addresses(uses.values(), len(steps), target)
        check_written_before_read(steps)
        numbers = _Numbers()
        work = [item for event in events_of(steps) for item in _translated(steps, event, numbers)]
        plan = derive_waits([item.step for item in work])
        cores = 1 + max((item.step.core for item in work), default=0)
        streams = _streams(work, plan, uses, cores)
        key, weight_bytes = _weights(list(uses.values()), store_of(ctx))
        segments = {
            segment: _end(uses, (segment, -1)) for segment in ("input", "output", "scratch")
        }
        assert target_name is not None
        result = isa.ProgramOp.get(
            program.sym_name.data,
            target_name,
            target.content_hash,
            counters=plan.counters,
            segments={"weights": weight_bytes, **segments},
            inputs=_ports(uses, "input"),
            outputs=_ports(uses, "output"),
            streams=streams,
            calls=[isa.CallAttr.get(call) for call in numbers.calls],
            key=key,
        )
        result.location = program.location
        block = module.body.block
        block.insert_op_before(result, program)
        block.erase_op(program)
        self.count("instructions", len(work))
        self.count("syncs", sum(len(list(s.instructions)) for s in streams) - len(work))
        self.count("waits", sum(len(w.after) + len(w.counters) for w in plan.waits))


def _wrong(op: Operation, message: str, hint: str | None = None) -> DiagnosticError:
    return DiagnosticError(f"{op.name}: {message}", place_of(op), hint=hint)


def _address(value: SSAValue, op: Operation) -> int:
    """Return the address of a buffer or view in its memory or segment, in bytes."""
    owner, offset = tile.viewed(value)
    if owner.address is None:
        raise _wrong(op, "a buffer has no address", "run tile-assign-addresses first")
    return owner.address.value.data + bytes_of(offset, owner.storage)


class _Numbers:
    """Numbers, from 1, the multicast groups of instructions (each transfer of a copy has a group of its own), and the
    calls of the host (equal ones have one number).
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[int, int], int] = {}
        self._calls: dict[Call, int] = {}

    @property
    def calls(self) -> list[Call]:
        """The calls in the order of their numbers."""
        return list(self._calls)

    def group(self, group: int, transfer: int) -> int:
        """Return the group of transfer number `transfer` of the copies of a `group`."""
        return self._groups.setdefault((group, transfer), len(self._groups) + 1)

    def call(self, call: Call) -> int:
        """Return the number of a call."""
        return self._calls.setdefault(call, len(self._calls) + 1)


def _translated(steps: Sequence[tile.StepOp], event: range, numbers: _Numbers) -> Iterator[Work]:
    """Return the instructions of the steps that start together: of copies in a multicast, transfer by transfer."""
    parts = [list(_translate(steps[number], numbers)) for number in event]
    for together in zip(*parts, strict=True):
        yield from together


def _translate(op: Operation, numbers: _Numbers) -> Iterator[Work]:
    """Return the instructions of one op."""
    if isinstance(op, tile.LayerOp):
        raise _wrong(op, "a layer is no instruction", "run tile-cut-to-local-memory first")
    assert isinstance(op, tile.CoreOp)
    core = op.core.value.data
    if isinstance(op, tile.CopyOp):
        for number, (mnemonic, fields) in enumerate(_transfers(op, core)):
            if (group := group_of(op)) is not None:
                fields["group"] = numbers.group(group, number)
            yield _work(op, core, mnemonic, fields)
    else:
        mnemonic, fields, operands = op.checked_instruction()
        for name, value in operands.items():
            fields[name] = _address(value, op)
        if isinstance(op, tile.HostCallOp):
            _check_frame(op, fields["x"])
            for value in op.inputs:
                _address(value, op)
            fields["call"] = numbers.call(op.call())
        yield _work(op, core, mnemonic, fields)


def _check_frame(op: tile.HostCallOp, begin: int) -> None:
    """Raise DiagnosticError unless the operands of a call lie one after the other from `begin` on."""
    for value, offset in zip(op.framed, op.call().offsets, strict=True):
        address = _address(value, op)
        if address != begin + offset:
            raise _wrong(
                op,
                f"operand {op.inputs.index(value)} is at {address}, it must be at {begin + offset}: the "
                "host takes operands that lie one after the other",
                "remove the addresses of the operands: tile-assign-addresses places them so; an operand of two calls "
                "needs a copy for each",
            )


def _work(op: tile.CoreOp, core: int, mnemonic: str, fields: dict[str, Any]) -> Work:
    instruction = BY_MNEMONIC[mnemonic]
    engine = instruction.engine
    assert engine is not None
    complete = {**field_values(instruction).defaults, **fields, "engine": engine}
    accesses = tuple(access.joined() for access in instruction.accesses(complete))
    step = Step(core, ENGINES.index(engine), accesses)
    origin = None if op.origin is None else op.origin.data
    return Work(step, mnemonic, fields, origin, op.location)


def _transfers(op: tile.CopyOp, core: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the loads or stores of a copy."""
    source, target = tile.viewed(op.source)[0], tile.viewed(op.target)[0]
    ends = {"src": source, "dst": target}
    common: dict[str, Any] = {}
    for end, owner in ends.items():
        if isinstance(owner, tile.GlobalOp):
            common[f"{end}_space"], common[f"{end}_segment"] = "global", owner.segment.data
        else:
            common[f"{end}_space"] = "local"
    if isinstance(source, tile.GlobalOp) and isinstance(target, tile.GlobalOp):
        raise _wrong(op, "both buffers are in global memory", "copy through local memory")
    cores = [o.core.value.data for o in (source, target) if isinstance(o, tile.AllocOp)]
    if core not in cores:
        raise _wrong(op, f"core {core} copies between the memories of others")
    if len(cores) == 2 and cores[0] != cores[1]:
        common["peer_core"] = 1 + (cores[0] if op.is_load else cores[1])
    storage = element_storage(op.source.type)
    common["fill"] = _fill_byte(op, storage)
    copy = StridedCopy(
        values_of(op.sizes),
        op.source_offset.value.data,
        values_of(op.source_strides),
        op.target_offset.value.data,
        values_of(op.target_strides),
        0 if op.pad is None else op.pad.value.data,
    )
    src, dst = _address(op.source, op), _address(op.target, op)
    for transfer in descriptors(copy, size_bytes(storage)):
        yield "load" if op.is_load else "store", {**common, **transfer.fields(src, dst)}


def _fill_byte(op: tile.CopyOp, storage: str) -> int:
    """Return the byte of which padding is made: DMA engines fill bytes, not elements."""
    value = 0 if op.pad_value is None else op.pad_value.value.data
    size = size_bytes(storage)
    pattern = (value % (1 << 8 * size)).to_bytes(size, "little")
    if op.pad is not None and len(set(pattern)) > 1:
        raise _wrong(
            op,
            f"padding of {storage} with {value} is not one byte repeated",
            "fill the buffer with tile.fill before the copy",
        )
    return pattern[0]


def _streams(
    work: Sequence[Work],
    plan: WaitPlan,
    uses: dict[SSAValue, BufferUse],
    cores: int,
) -> list[isa.StreamOp]:
    """Return the listings, with the memory that each core uses."""
    return [
        isa.StreamOp.get(core, _end(uses, ("local", core)), _end(uses, ("acc", core)), listing)
        for core, listing in enumerate(listings(work, plan, cores))
    ]


def _end(uses: dict[SSAValue, BufferUse], memory: tuple[str, int]) -> int:
    """Return how many bytes of a memory the buffers take."""
    return max(
        (
            align(_address(value, use.op) + use.size_bytes)
            for value, use in uses.items()
            if use.memory == memory
        ),
        default=0,
    )


def _ports(uses: dict[SSAValue, BufferUse], segment: str) -> list[isa.PortAttr]:
    """Return the inputs or outputs."""
    ports: list[isa.PortAttr] = []
    for value, use in uses.items():
        op = use.op
        if isinstance(op, tile.GlobalOp) and use.memory[0] == segment:
            name, form, offset = op.buffer_name.data, op.format, _address(value, op)
            ports.append(isa.PortAttr.get(name, form.storage, form.shape, offset, form))
    return ports


def _weights(uses: Sequence[BufferUse], store: WeightStore) -> tuple[str | None, int]:
    """Put the bytes of segment "weights" into the store; return their key (None if there are none) and their number."""
    size = max(
        (
            align(_address(u.op.output, u.op) + u.size_bytes)
            for u in uses
            if u.memory[0] == "weights"
        ),
        default=0,
    )
    if not size:
        return None, 0
    data = np.zeros(size, dtype=np.uint8)
    for use in uses:
        op = use.op
        if isinstance(op, tile.GlobalOp) and use.memory[0] == "weights":
            address = _address(op.output, op)
            raw = np.ascontiguousarray(weight_data(op, store)).reshape(-1).view(np.uint8)
            data[address : address + raw.size] = raw
    data.flags.writeable = False
    return store.add(PROGRAM_WEIGHTS, data), size
