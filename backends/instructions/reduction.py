"""The instruction of reductions, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.reduction import reduce
from ..numerics.reduction import INTEGER_KINDS, KINDS
from ..numerics.storage import FLOAT_NAMES, bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, local
from .fields import REQUANTIZATION, address, enum, integer, storage
from .instruction import Instruction
from .rules import CLAMP_ORDER, SHIFT_RANGE, at_most

if TYPE_CHECKING:
    from ..targets.target import Target


class Reduce(Instruction):
    """A reduction over the middle axis of x[outer, length, inner]; the output is [outer, inner],
    rows of `out_pitch`.

    max and min keep the quantization of integers, mean and sum rescale it; the other kinds are for
    floats.

    v5: reduce kind=mean, x=0x0, out=0x0, type=i8, outer=2, length=49, inner=16,
        outer_stride=784, length_stride=16, out_pitch=16
    """

    mnemonic, opcode, engine = "reduce", 23, "vector"
    numerics = staticmethod(reduce)
    fields = (
        enum("kind", "reduction", KINDS),
        address("x"),
        address("out"),
        storage("type"),
        integer("outer", "<u4", "rows"),
        integer("length", "<u4", "elements reduced"),
        integer("inner", "<u4", "elements", 1),
        integer("outer_stride", "<u4", "elements"),
        integer("length_stride", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
        *REQUANTIZATION,
    )
    rules = (
        at_most("inner", "out_pitch"),
        CLAMP_ORDER,
        SHIFT_RANGE,
        (
            f"a float type unless kind is {', '.join(INTEGER_KINDS)}",
            lambda f: f["kind"] in INTEGER_KINDS or f["type"] in FLOAT_NAMES,
        ),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["outer"] * f["length"] * f["inner"]
        operations = target.vector.operations_of(f["kind"])
        sizes = (f["outer"], f["length"], f["inner"])
        strides = (f["outer_stride"], f["length_stride"], 1)
        groups = formulas.lane_groups_read(target, sizes, strides)
        return formulas.vector_cycles(target, f["type"], elements, operations, groups)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        type, counts = f["type"], (f["outer"], f["length"])
        strides = (bytes_of(f["outer_stride"], type), bytes_of(f["length_stride"], type))
        return (
            Access("local", None, 0, f["x"], bytes_of(f["inner"], type), counts, strides),
            local(f["out"], bytes_of(f["outer"] * f["out_pitch"], type), write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        x, _ = Reduce.accesses(f)
        return (Operand("x", x.elements(f["type"]), f["type"]),)
