"""Makes inputs and outputs of what crosses in local memories, and the loads and stores that move it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ....backends.instructions.instruction_set import ENGINES, Load, Store
from ....backends.simulator.functional.functional_simulator import FunctionalSimulator, Stretch
from ....backends.targets.alignment import align
from ....dialects import isa
from ....dialects.isa.field_values import field_values
from ....passes.tile_to_isa.listings import Work
from ....passes.tile_to_isa.transfers import descriptors_of_bytes
from ....passes.tile_to_isa.waits import Step
from .local_crossings import Crossing
from .port_names import unused_name


@dataclass(frozen=True)
class LocalPort:
    """An input or output of the new program, which starts at `offset` of its segment; byte i of it is that of
    local memory at `addresses[i]`, which ascend.
    """

    name: str
    crossing: Crossing
    addresses: np.ndarray
    offset: int

    @property
    def attribute(self) -> isa.PortAttr:
        """The port as the program declares it: a tensor of bytes."""
        return isa.PortAttr.get(self.name, "u8", (len(self.addresses),), self.offset)


def make_local_ports(
    crossings: Sequence[Crossing], sizes: dict[str, int], taken: Mapping[str, set[str]]
) -> list[LocalPort]:
    """Return a port for each crossing. The `sizes` of the segments and the names that are `taken` on each side grow by
    them.
    """
    places = [(crossing, crossing.addresses()) for crossing in crossings]
    ports: list[LocalPort] = []
    for crossing, addresses in sorted(places, key=lambda p: (p[0].side, p[0].core, p[1][0])):
        name = unused_name(f"local_{crossing.core}_0x{addresses[0]:x}", taken[crossing.side])
        taken[crossing.side].add(name)
        offset = sizes[crossing.side]
        sizes[crossing.side] = align(offset + len(addresses))
        ports.append(LocalPort(name, crossing, addresses, offset))
    return ports


def moves_of(
    ports: Sequence[LocalPort], ops: Sequence[isa.InstructionOp]
) -> dict[int | None, list[Work]]:
    """Return the loads and stores by the instruction before which they stand: None for those at the end.

    Bytes are loaded before the first instruction that reads them, and stored before the first that overwrites one.
    """
    moves: dict[int | None, list[Work]] = defaultdict(list)
    for port in ports:
        crossing = port.crossing
        if crossing.side == "output":
            moves[crossing.overwriter] += _moves(port, port.addresses, ops[crossing.writer])
            continue
        for reader, addresses in crossing.reads:
            moves[reader] += _moves(port, addresses, ops[reader])
    return moves


def _moves(port: LocalPort, addresses: np.ndarray, op: isa.InstructionOp) -> Iterator[Work]:
    """Return the loads or stores of some bytes, on behalf of an instruction."""
    core = port.crossing.core
    inside = np.searchsorted(port.addresses, addresses)
    if port.crossing.side == "input":
        kind, ends, places = Load, (inside, addresses), (port.offset, 0)
        where = {"src_space": "global", "src_segment": "input", "dst_space": "local"}
    else:
        kind, ends, places = Store, (addresses, inside), (0, port.offset)
        where = {"src_space": "local", "dst_space": "global", "dst_segment": "output"}
    assert kind.engine is not None
    for transfer in descriptors_of_bytes(*ends):
        fields = {**where, **transfer.fields(*places)}
        complete = {**field_values(kind).defaults, **fields, "engine": kind.engine}
        step = Step(core, ENGINES.index(kind.engine), kind.accesses(complete))
        origin = None if op.origin is None else op.origin.data
        yield Work(step, kind.mnemonic, fields, origin, op.location)


def local_values(
    ports: Sequence[LocalPort], simulator: FunctionalSimulator, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what the bytes of each input were when an instruction of the whole program read them first."""
    ports = [port for port in ports if port.crossing.side == "input"]
    values = {port.name: np.empty(len(port.addresses), np.uint8) for port in ports}
    reads = [(port, *read) for port in ports for read in port.crossing.reads]
    wanted = [
        (reader, Stretch("local", port.crossing.core, int(part[0]), int(part[-1]) + 1))
        for port, reader, part in reads
    ]
    for (port, _, part), data in zip(reads, simulator.bytes_before(inputs, wanted), strict=True):
        values[port.name][np.searchsorted(port.addresses, part)] = data[0, part - part[0]]
    return values
