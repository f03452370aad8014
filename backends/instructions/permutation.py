"""The instruction that exchanges two axes of a tile in local memory, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.permutation import permute
from ..numerics.storage import PERMUTED_NAMES
from ..targets import cycles as formulas
from .access import Access, Operand, local_rows
from .fields import OUT_COLUMNS, address, integer, storage, written_columns
from .instruction import Instruction
from .rules import OUT_COLUMNS_FIT, at_most, one_of, written

if TYPE_CHECKING:
    from ..targets.target import Target


class Permute(Instruction):
    """The transpose of the last two axes of x[tiles, rows, columns]: out[t, c, r] = x[t, r, c]; each row of the
    output is filled with the zero point up to its end.

    Elements are moved as they are; they have 1, 2 or 4 bytes.

    v13: permute x=0x0, out=0x800, type=i8, tiles=2, rows=3, columns=10, in_pitch=16, out_pitch=16, zero_point=-5
    """

    mnemonic, opcode, engine = "permute", 31, "vector"
    numerics = staticmethod(permute)
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        integer("tiles", "<u4", "tiles", 1),
        integer("rows", "<u4", "rows of the input"),
        integer("columns", "<u4", "elements"),
        integer("in_pitch", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
        OUT_COLUMNS,
        integer("zero_point", "<i4", "storage value", 0),
    )
    rules = (
        one_of("type", PERMUTED_NAMES),
        at_most("columns", "in_pitch"),
        written("rows"),
        OUT_COLUMNS_FIT,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.permute_cycles(
            target, f["type"], tiles=f["tiles"], rows=f["rows"], columns=f["columns"]
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        type, rows = f["type"], f["tiles"] * f["columns"]
        return (
            local_rows(f["x"], f["tiles"] * f["rows"], f["in_pitch"], f["columns"], type),
            local_rows(f["out"], rows, f["out_pitch"], written_columns(f), type, write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["tiles"] * f["rows"] * f["in_pitch"], f["type"]),)
