"""The instructions that move and fill bytes, and the one that only waits and signals; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.movement import fill
from ..numerics.storage import bytes_of
from ..targets import cycles as formulas
from .access import Access, local
from .fields import SEGMENTS, SPACES, Field, address, enum, integer, real, storage
from .instruction import Instruction
from .rules import Rule, one_of

if TYPE_CHECKING:
    from ..targets.target import Target


_TRANSFER_FIELDS: tuple[Field, ...] = (
    enum("src_space", "memory space", SPACES),
    enum("dst_space", "memory space", SPACES),
    integer("peer_core", "<u2", "virtual core + 1 of the other core's local memory; 0: this core", 0),
    enum("src_segment", "segment", SEGMENTS, 0),
    enum("dst_segment", "segment", SEGMENTS, 0),
    address("src", "<u8"),
    address("dst", "<u8"),
    integer("run", "<u4", "bytes copied per run"),
    integer("pad", "<u4", "bytes filled at the destination after each run", 0),
    integer("fill", "<u1", "value of each filled byte", 0),
    *(integer(f"count{d}", "<u4", "runs", 1) for d in range(4)),
    *(integer(f"src_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    *(integer(f"dst_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    integer("group", "<u4", "multicast group; 0: none", 0),
)  # fmt: skip

_PEER: Rule = (
    "peer_core 0 unless both memories are local",
    lambda f: f["peer_core"] == 0 or f["src_space"] == f["dst_space"] == "local",
)


def _transfer_accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
    counts = tuple(f[f"count{d}"] for d in range(4))
    peer = f["peer_core"] - 1 if f["peer_core"] else None
    between_cores = f["src_space"] == f["dst_space"] == "local"
    src_core = peer if between_cores and f["engine"] == "dma_in" else None
    dst_core = peer if between_cores and f["engine"] == "dma_out" else None
    return (
        Access(f["src_space"], src_core, SEGMENTS.index(f["src_segment"]), f["src"], f["run"], counts,
               tuple(f[f"src_stride{d}"] for d in range(4))),
        Access(f["dst_space"], dst_core, SEGMENTS.index(f["dst_segment"]), f["dst"], f["run"] + f["pad"], counts,
               tuple(f[f"dst_stride{d}"] for d in range(4)), write=True),
    )  # fmt: skip


def _transfer_cycles(f: Mapping[str, Any], target: Target) -> int:
    runs = f["count0"] * f["count1"] * f["count2"] * f["count3"]
    return formulas.transfer_issue_cycles(target, runs)


class Load(Instruction):
    """Copies up to four dimensions of equal runs into this core's local memory, from global memory
    or another core.

    Loads of one `group`, each of another core, read the same bytes of global memory. They are one transfer: it begins
    when all of them are ready, and crosses the bus once.

    d0: load src_space=global, dst_space=local, src_segment=input, src=0x0, dst=0x100, run=64
    """

    mnemonic, opcode, engine = "load", 1, "dma_in"
    fields = _TRANSFER_FIELDS
    rules = (
        _PEER,
        one_of("dst_space", ("local",)),
        one_of("src_space", ("global", "local")),
        (
            "group 0 unless it reads global memory",
            lambda f: not f["group"] or f["src_space"] == "global",
        ),
    )
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


class Store(Instruction):
    """Copies up to four dimensions of equal runs out of this core's local memory, to global memory
    or another core.

    Stores of one `group` send the same bytes to the local memories of different cores, of which this core may be one.
    They stand side by side in `dma_out` and differ in `peer_core`, `dst`, waits and signals only. They are one
    transfer: it begins when all of them are ready, reads the bytes once, and takes the interconnect once if the target
    has multicast. The first of them is issued in the cycles below, each further one in the target's `issue_cycles`.

    s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=20,
        count0=2, src_stride0=32, dst_stride0=20
    """

    mnemonic, opcode, engine = "store", 2, "dma_out"
    fields = _TRANSFER_FIELDS
    rules = (
        _PEER,
        one_of("src_space", ("local",)),
        one_of("dst_space", ("global", "local")),
        (
            "group 0 unless it writes local memory",
            lambda f: not f["group"] or f["dst_space"] == "local",
        ),
        (
            "dst_segment output or scratch",
            lambda f: f["dst_space"] != "global" or f["dst_segment"] in ("output", "scratch"),
        ),
    )
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


SAME_SOURCE: tuple[str, ...] = (
    "src_space", "src_segment", "src", "run",
    *(f"{name}{d}" for name in ("count", "src_stride") for d in range(4)),
)  # fmt: skip
ALIKE_IN_GROUP: dict[type[Instruction], tuple[str, ...]] = {
    Load: SAME_SOURCE,
    Store: (*SAME_SOURCE, "pad", "fill", *(f"dst_stride{d}" for d in range(4))),
}
"""The fields in which the loads, or the stores, of a multicast group agree. Those that say what is read come first."""


class Fill(Instruction):
    """Writes one value to every element of a range of local memory.

    d1: fill dst=0x40, count=10, type=f32, value=-0.5
    """

    mnemonic, opcode, engine = "fill", 3, "dma_in"
    numerics = staticmethod(fill)
    fields = (
        address("dst"),
        integer("count", "<u4", "elements"),
        storage("type"),
        real("value", "<f8", "value", 0.0),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.local_write_cycles(target, bytes_of(f["count"], f["type"]))

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (local(f["dst"], bytes_of(f["count"], f["type"]), write=True),)


class Sync(Instruction):
    """Does nothing but wait and signal, in the queue of any engine.

    m2: sync engine=matrix
    """

    mnemonic, opcode, engine = "sync", 4, None

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return 1

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return ()
