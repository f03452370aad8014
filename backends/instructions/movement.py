"""The instructions that move, gather and fill bytes, and the one that only waits and signals; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.movement import fill, gather
from ..numerics.storage import bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, local
from .fields import SEGMENTS, SPACES, Field, address, enum, integer, real, storage
from .instruction import Instruction
from .rules import Rule, one_of

if TYPE_CHECKING:
    from ..targets.target import Target


INDEX_TYPES = ("i32", "i64")
"""The storage types of the indices of a gather."""

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


def moved_bytes(f: Mapping[str, Any]) -> int:
    """Return how many bytes a load, a store or a gather moves, without padding, indices and rounding to bursts."""
    if "row_bytes" in f:
        return f["rows"] * f["row_bytes"]
    return f["run"] * f["count0"] * f["count1"] * f["count2"] * f["count3"]


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


class Gather(Instruction):
    """Copies rows of a table in global memory, which indices name, into this core's local memory, one after the other.

    out[i] = row_bytes bytes, from row_offset on, of row index[i] of the table, whose rows begin every `pitch` bytes;
    negative indices count from its end. An index that names none of its `table_rows` rows ends the run with an error:
    nothing outside the table is read. Each row is a run of its own. The engine takes a cycle for the address of each
    row, and reads the indices before: through the port of the local memory, or from global memory after its latency.

    d0: gather table_segment=scratch, index_space=global, index_segment=input, table=0x0, table_rows=5, row_bytes=8,
        pitch=8, index=0x0, index_type=i32, rows=3, out=0x0
    """

    mnemonic, opcode, engine = "gather", 6, "dma_in"
    numerics = staticmethod(gather)
    fields = (
        enum("table_segment", "segment", SEGMENTS),
        enum("index_space", "memory space", SPACES),
        enum("index_segment", "segment", SEGMENTS, 0),
        address("table", "<u8"),
        integer("table_rows", "<u4", "rows of the table"),
        integer("row_offset", "<u4", "bytes of a row before those that are copied", 0),
        integer("row_bytes", "<u4", "bytes copied of each row"),
        integer("pitch", "<u4", "bytes from a row of the table to the next"),
        address("index", "<u8"),
        storage("index_type"),
        integer("rows", "<u4", "indices"),
        address("out"),
    )
    rules = (
        one_of("index_space", ("global", "local")),
        one_of("index_type", INDEX_TYPES),
        (
            "row_offset + row_bytes <= pitch",
            lambda f: f["row_offset"] + f["row_bytes"] <= f["pitch"],
        ),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        issue = formulas.transfer_issue_cycles(target, f["rows"])
        if f["index_space"] == "global":
            return issue
        return issue + formulas.local_write_cycles(target, bytes_of(f["rows"], f["index_type"]))

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        table, index = (SEGMENTS.index(f[f"{name}_segment"]) for name in ("table", "index"))
        index_bytes = bytes_of(f["rows"], f["index_type"])
        return (
            Access("global", None, table, f["table"] + f["row_offset"], f["row_bytes"], (f["table_rows"],),
                   (f["pitch"],)),
            Access(f["index_space"], None, index, f["index"], index_bytes),
            local(f["out"], f["rows"] * f["row_bytes"], write=True),
        )  # fmt: skip

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        table_bytes = (f["table_rows"] - 1) * f["pitch"] + f["row_offset"] + f["row_bytes"]
        return (
            Operand("table", table_bytes, "u8", "global"),
            Operand("index", f["rows"], f["index_type"], f["index_space"]),
        )


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
