"""The machine instruction: its fields, what it computes, how long it takes, which bytes it touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from smalti.backends.instructions.access import Operand, local
from smalti.backends.instructions.fields import address, integer, storage
from smalti.backends.instructions.instruction_set import Access, Instruction
from smalti.backends.numerics.storage import bytes_of
from smalti.backends.targets import cycles as formulas
from smalti.backends.targets.target import Target


def square(x: np.ndarray, *, type: str, count: int) -> np.ndarray:
    """out[count] = x², in f32, rounded once to storage `type`; x flat [..., count]."""
    wide = x[..., :count].astype(np.float32)
    return (wide * wide).astype(x.dtype)


class Square(Instruction):
    """out = x² for `count` elements of a float type.

    v0: square x=0x0, out=0x100, type=f32, count=16
    """

    mnemonic, opcode, engine = "square", 256, "vector"
    numerics = staticmethod(square)
    fields = (address("x"), address("out"), storage("type"), integer("count", "<u4", "elements"))

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(target, f["type"], f["count"], 1)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = bytes_of(f["count"], f["type"])
        return local(f["x"], size), local(f["out"], size, write=True)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["count"], f["type"]),)
