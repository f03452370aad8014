"""The instruction that has the host compute what the device cannot; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.along_axis import host_call
from ..numerics.host import FLAGS, HOST_FUNCTIONS
from ..numerics.storage import bytes_of
from .access import Access, Operand
from .fields import SEGMENTS, address, enum, flag, integer, storage
from .instruction import Instruction
from .rules import Fields, one_of

if TYPE_CHECKING:
    from ..targets.target import Target


def _dense(
    f: Mapping[str, Any], name: str, elements: Any, type: str, write: bool = False
) -> Access:
    """Return the access to a dense array in global memory."""
    size = bytes_of(elements, f[type])
    segment = SEGMENTS.index(f[f"{name}_segment"])
    return Access("global", None, segment, f[name], size, write=write)


def _host_length(f: Fields) -> bool:
    allowed = {"one": 1, "same": f["length"]}.get(HOST_FUNCTIONS[f["function"]].lengths)
    return f["out_length"] <= f["length"] if allowed is None else f["out_length"] == allowed


def _host_takes(f: Fields) -> bool:
    return f["type"] in HOST_FUNCTIONS[f["function"]].takes


def _host_types(f: Fields) -> bool:
    return f["out_type"] == (HOST_FUNCTIONS[f["function"]].gives or f["type"])


def _host_flags(f: Fields) -> bool:
    own = HOST_FUNCTIONS[f["function"]].flags
    return all(name in own or not f[name] for name in FLAGS)


class HostCall(Instruction):
    """The host computes a named function of dense arrays in global memory: out[outer, out_length,
    inner] = function(x[outer, length, inner]).

    The core waits for it. Its cycles are those of reading the operand and writing the result over the
    bus of global memory; the host's own time is not part of them and is reported separately.

    s0: host_call function=argmax, type=f32, out_type=i64, x_segment=scratch, out_segment=output,
        x=0x0, out=0x0, outer=1, length=10, inner=1, out_length=1
    """

    mnemonic, opcode, engine = "host_call", 5, "dma_out"
    numerics = staticmethod(host_call)
    fields = (
        enum("function", "function of the host", tuple(HOST_FUNCTIONS)),
        storage("type"),
        storage("out_type"),
        enum("x_segment", "segment", SEGMENTS),
        enum("out_segment", "segment", SEGMENTS),
        address("x", "<u8"),
        address("out", "<u8"),
        integer("outer", "<u4", "slices before the axis"),
        integer("length", "<u4", "elements along the axis"),
        integer("inner", "<u4", "elements of a slice behind the axis"),
        integer("out_length", "<u4", "elements along the result's axis"),
        *(flag(name) for name in FLAGS),
    )
    rules = (
        ("type as its function takes it", _host_takes),
        one_of("out_segment", ("output", "scratch")),
        ("out_type as its function gives it for type", _host_types),
        ("out_length as its function gives it for length", _host_length),
        (f"no flag but those of its function ( {' , '.join(FLAGS)} )", _host_flags),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return target.dma.issue_cycles + 0 * f["outer"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        rows = f["outer"] * f["inner"]
        return (
            _dense(f, "x", rows * f["length"], "type"),
            _dense(f, "out", rows * f["out_length"], "out_type", write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["outer"] * f["inner"] * f["length"], f["type"], "global"),)
