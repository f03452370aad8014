"""The instruction of leaky clamps, on the vector unit. Rows are scaled by instructions that every target has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalti.backends.instructions.access import Access, Operand, local, local_rows
from smalti.backends.instructions.fields import ROWS, address, integer, storage
from smalti.backends.instructions.instruction_set import Instruction
from smalti.backends.instructions.rules import PITCHES
from smalti.backends.numerics.storage import bytes_of
from smalti.backends.targets import cycles as formulas
from smalti.backends.targets.target import Target

from .numerics import leaky_clamp_of_tile

OPERATIONS = 4
"""How many operations an element takes: two comparisons, a difference, a shift."""


class LeakyClamp(Instruction):
    """out = a leaky clamp of rows of channels; each row is filled with the zero point up to its pitch.

    v0: leaky_clamp x=0x0, low=0x100, high=0x110, out=0x200, type=i8, rows=9, columns=5, in_pitch=16,
        out_pitch=16, shift=3, zero_point=-4
    """

    mnemonic, opcode, engine = "leaky_clamp", 300, "vector"
    numerics = staticmethod(leaky_clamp_of_tile)
    fields = (
        address("x"),
        address("low"),
        address("high"),
        address("out"),
        storage("type"),
        *ROWS,
        integer("shift", "<u1", "bits"),
        integer("zero_point", "<i2", "storage value", 0),
    )
    rules = PITCHES

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(target, f["type"], f["rows"] * f["out_pitch"], OPERATIONS)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        bound = bytes_of(f["columns"], f["type"])
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            local(f["low"], bound),
            local(f["high"], bound),
            local(f["out"], bytes_of(f["rows"] * f["out_pitch"], f["type"]), write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        pitch, type = f["in_pitch"], f["type"]
        return (
            Operand("x", f["rows"] * pitch, type),
            Operand("low", pitch, type),
            Operand("high", pitch, type),
        )
