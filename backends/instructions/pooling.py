"""The instruction of pooling, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.pooling import pool
from ..numerics.windows.pooling import POOL_KINDS
from ..targets import cycles as formulas
from .access import Access, Operand, local_rows
from .fields import IMAGES, REQUANTIZATION, WINDOW, address, enum, flag, integer, or_else, storage
from .instruction import Instruction
from .rules import CLAMP_ORDER, SHIFT_RANGE, WINDOWS, at_most

if TYPE_CHECKING:
    from ..targets.target import Target


def _pooled(f: Mapping[str, Any]) -> Any:
    """Return how many elements of each pixel are pooled."""
    return or_else(f["columns"], f["pitch"])


def _pool_rows(f: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the output pixels, the elements from one to the next, and how many of these are written."""
    pitch = or_else(f["out_pitch"], f["pitch"])
    return f["batch"] * f["out_height"] * f["out_width"], pitch, or_else(f["out_columns"], pitch)


class Pool(Instruction):
    """One tile of max or average pooling on the vector unit; average: over the taps inside the
    (declared) input. Each output pixel is filled with zero_point_out (floats: 0) up to its end.

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
        integer("pitch", "<u4", "elements per input pixel"),
        integer("columns", "<u4", "elements pooled of each pixel; 0: pitch", 0),
        integer("out_pitch", "<u4", "elements per output pixel; 0: pitch", 0),
        integer("out_columns", "<u4", "elements written of each output pixel; 0: out_pitch", 0),
        *WINDOW,
        integer("pad_bottom", "<u2", "pixels that count as padding", 0),
        integer("pad_right", "<u2", "pixels that count as padding", 0),
        *REQUANTIZATION,
    )
    rules = (
        *WINDOWS,
        at_most("columns", "pitch"),
        (
            "out_columns at least columns , at most out_pitch ( a 0 stands for pitch , for columns "
            "and out_pitch , and for out_pitch )",
            lambda f: _pooled(f) <= _pool_rows(f)[2] <= _pool_rows(f)[1],
        ),
        CLAMP_ORDER,
        SHIFT_RANGE,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        rows, pitch, columns = _pool_rows(f)
        elements = formulas.row_elements(target, rows, columns, pitch)
        operations = f["kernel_height"] * f["kernel_width"] * target.vector.operations_of("pool")
        return formulas.vector_cycles(target, f["type"], elements, operations)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        pixels, type = f["batch"] * f["in_height"] * f["in_width"], f["type"]
        rows, pitch, columns = _pool_rows(f)
        return (
            local_rows(f["x"], pixels, f["pitch"], _pooled(f), type),
            local_rows(f["out"], rows, pitch, columns, type, write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        pixels = f["batch"] * f["in_height"] * f["in_width"]
        return (Operand("x", pixels * f["pitch"], f["type"]),)
