"""The instruction of interpolation and gathering along an axis, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.resampling import resample
from ..numerics.storage import bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, local
from .fields import NO_ADDRESS, address, flag, integer, storage
from .instruction import Instruction

if TYPE_CHECKING:
    from ..targets.target import Target


class Resample(Instruction):
    """Interpolation along an axis: out[o,i,c] = Σ_t weight[i,t] · x[o,index[i,t],c]; one tap of
    weight 1: a gather.

    v6: resample x=0x0, out=0x0, index=0x0, weight=0x0, type=f32, outer=1, in_length=2,
        out_length=4, inner=3, taps=2
    """

    mnemonic, opcode, engine = "resample", 24, "vector"
    numerics = staticmethod(resample)
    fields = (
        address("x"),
        address("out"),
        address("index"),
        address("weight", default=NO_ADDRESS),
        storage("type"),
        integer("outer", "<u4", "rows"),
        integer("in_length", "<u4", "elements"),
        integer("out_length", "<u4", "elements"),
        integer("inner", "<u4", "elements"),
        integer("taps", "<u2", "taps", 1),
        flag("gather"),
    )
    rules = (("taps 1 to gather", lambda f: not f["gather"] or f["taps"] == 1),)

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["outer"] * f["out_length"] * f["inner"]
        operations = f["taps"] * target.vector.operations_of("resample")
        return formulas.vector_cycles(target, f["type"], elements, operations)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        taps = f["out_length"] * f["taps"]
        slices = f["outer"] * f["inner"]
        result = [
            local(f["x"], bytes_of(slices * f["in_length"], f["type"])),
            local(f["index"], bytes_of(taps, "i32")),
            local(f["out"], bytes_of(slices * f["out_length"], f["type"]), write=True),
        ]
        if not f["gather"]:
            result.append(local(f["weight"], bytes_of(taps, "f32")))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        taps = f["out_length"] * f["taps"]
        result = [
            Operand("x", f["outer"] * f["in_length"] * f["inner"], f["type"]),
            Operand("index", taps, "i32"),
        ]
        return tuple(result if f["gather"] else [*result, Operand("weight", taps, "f32")])
