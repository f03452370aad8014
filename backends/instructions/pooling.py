"""The instruction of pooling, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.pooling import pool
from ..numerics.pooling import POOL_KINDS
from ..numerics.storage import bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, local
from .fields import IMAGES, REQUANTIZATION, WINDOW, address, enum, flag, integer, storage
from .instruction import Instruction
from .rules import CLAMP_ORDER, SHIFT_RANGE, WINDOWS

if TYPE_CHECKING:
    from ..targets.target import Target


class Pool(Instruction):
    """One tile of max or average pooling on the vector unit; average: over the taps inside the
    (declared) input.

    v4: pool kind=max, x=0x0, out=0x1000, type=u8, in_height=4, in_width=4, out_height=2,
        out_width=2, pitch=16, kernel_height=2, kernel_width=2
    """

    mnemonic, opcode, engine = "pool", 22, "vector"
    numerics = staticmethod(pool)
    fields = (
        enum("kind", "reduction", POOL_KINDS),
        address("x"),
        address("out"),
        storage("type"),
        flag("count_include_pad"),
        *IMAGES,
        integer("out_height", "<u2", "pixels"),
        integer("out_width", "<u2", "pixels"),
        integer("pitch", "<u4", "elements per pixel"),
        *WINDOW,
        integer("pad_bottom", "<u2", "pixels that count as padding", 0),
        integer("pad_right", "<u2", "pixels that count as padding", 0),
        *REQUANTIZATION,
    )
    rules = (*WINDOWS, CLAMP_ORDER, SHIFT_RANGE)

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["batch"] * f["out_height"] * f["out_width"] * f["pitch"]
        operations = f["kernel_height"] * f["kernel_width"] * target.vector.operations_of("pool")
        return formulas.vector_cycles(target, f["type"], elements, operations)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        lanes = f["batch"] * f["pitch"]
        x, out = f["in_height"] * f["in_width"] * lanes, f["out_height"] * f["out_width"] * lanes
        return (
            local(f["x"], bytes_of(x, f["type"])),
            local(f["out"], bytes_of(out, f["type"]), write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        pixels = f["batch"] * f["in_height"] * f["in_width"]
        return (Operand("x", pixels * f["pitch"], f["type"]),)
