"""The base of what a core executes at the tile level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects.builtin import LocationAttr, StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import opt_prop_def, prop_def, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect

from ..ir.attribute import INTEGER, integer
from ..ir.text.assembly import TextOp, property_value
from . import rules as rules

Field = int | float | str | bool | Sequence[int] | Sequence[float] | None
"""What `make` takes for a property: None and False leave it out."""


class CoreOp(TextOp):
    """Base of what a core executes: copies and computations on whole tiles, in destination-passing
    style.

    `origin` is the name of the `tpu` result that the op is part of: what reports on the program key
    on.
    """

    core = prop_def(INTEGER)
    origin = opt_prop_def(StringAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    @classmethod
    def make(
        cls,
        core: int,
        *operands: SSAValue | None,
        location: LocationAttr | None = None,
        **fields: Field,
    ) -> Self:
        """The op on `core`: operands in the order of the definition (None: absent), `fields` its
        properties.

        Properties at their default may be left out. TypeError for a field that the op does not
        have.
        """
        properties: dict[str, Attribute | None] = {"core": integer(core), **cls.DEFAULTS}
        for name, value in fields.items():
            properties[name] = property_value(cls, name, value)
        op = cls.build(operands=operands, properties=properties)
        if location is not None:
            op.location = location
        return op

    def verify_(self) -> None:
        rules.verify_core(self)
        verifier = rules.VERIFIERS.get(self.name)
        if verifier is not None:
            verifier(self)
        else:
            self.verify_fields()

    def verify_fields(self) -> None:
        """VerifyException for what is wrong beyond buffers and cores; for ops of plugins."""

    def instruction(self) -> tuple[str, dict[str, Any], dict[str, SSAValue]] | None:
        """Mnemonic, fields and operands by address field of the instruction that a plugin's op is
        (see tile_instruction.py); None for those of the tile dialect, which have it there.
        """
        return None
