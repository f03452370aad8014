"""The instruction that has the host compute what the device cannot; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..numerics.device.host_call import host_call
from ..numerics.functions.call import Call
from .access import Access, Operand
from .fields import SEGMENTS, address, enum, integer
from .instruction import Instruction
from .rules import Fields, one_of

if TYPE_CHECKING:
    from ..targets.target import Target


def _dense(f: Mapping[str, Any], name: str, write: bool = False) -> Access:
    """Return the access to a range of global memory."""
    segment = SEGMENTS.index(f[f"{name}_segment"])
    return Access("global", None, segment, f[name], f[f"{name}_bytes"], write=write)


class HostCall(Instruction):
    """The host computes a call of a named function: the program's list of calls says of which one, and of which
    shapes and types the operands and the result are.

    The operands that are computed lie in the frame x, each at the next multiple of 64 bytes; the result is dense.
    Constants are not moved: the host has the program's weights, and the call says where each of them lies there. The
    core waits for the result. Its cycles are those of reading the frame and writing the result over the
    bus of global memory; the host's own time is not part of them and is reported separately.

    isa.program @example target("default-8c", "sha256:0") counters(0)
        segments(weights = 0, input = 40, output = 8, scratch = 0)
        calls(argmax(f32[1, 10]) with {axis = 1})
        inputs()
        outputs() {
      isa.stream core(0) local(0) acc(0) {
        s0: host_call call=1, x_segment=input, out_segment=output, x=0x0, x_bytes=40, out=0x0, out_bytes=8
      }
    }
    """

    mnemonic, opcode, engine = "host_call", 5, "dma_out"
    numerics = staticmethod(host_call)
    fields = (
        integer("call", "<u4", "call of the program, from 1"),
        enum("x_segment", "segment", SEGMENTS),
        enum("out_segment", "segment", SEGMENTS),
        address("x", "<u8"),
        integer("x_bytes", "<u8", "bytes from the first operand to the end of the last one"),
        address("out", "<u8"),
        integer("out_bytes", "<u8", "bytes of the result"),
    )
    rules = (one_of("out_segment", ("output", "scratch")),)

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return target.dma.issue_cycles + 0 * f["x_bytes"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (_dense(f, "x"), _dense(f, "out", write=True))

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["x_bytes"], "u8", "global"),)


def operand_accesses(f: Mapping[str, Any], call: Call) -> tuple[Access, ...]:
    """Return the accesses without the bytes between the operands, which the host does not look at."""
    frame, out = HostCall.accesses(f)
    operands = zip(call.offsets, call.framed, strict=True)
    return (
        *(
            frame._replace(address=frame.address + offset, run_bytes=kind.size_bytes)
            for offset, kind in operands
        ),
        *(
            Access(
                "global", None, SEGMENTS.index("weights"), place, call.operands[number].size_bytes
            )
            for number, place in call.in_weights.items()
        ),
        out,
    )


def call_error(fields: Fields, calls: Sequence[Call], weights_bytes: int) -> str | None:
    """Say what is wrong with a call of the host in a program with these calls and so many bytes of weights; None if
    nothing.
    """
    number = fields["call"]
    if number > len(calls):
        return f"field 'call' names call {number}, the program has {len(calls)}"
    call = calls[number - 1]
    for name, size in (("x_bytes", call.frame_bytes), ("out_bytes", call.result_kind.size_bytes)):
        if fields[name] != size:
            return f"field '{name}' is {fields[name]}, {call} has {size}"
    for number, place in call.in_weights.items():
        end = place + call.operands[number].size_bytes
        if not 0 <= place <= end <= weights_bytes:
            return f"operand {number} of {call} is bytes {place} to {end} of the weights, which have {weights_bytes}"
    return None
