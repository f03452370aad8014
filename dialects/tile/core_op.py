"""The base of the ops that a core executes at the tile level."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar

from xdsl.dialects.builtin import LocationAttr, StringAttr
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, OptPropertyDef
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import BY_MNEMONIC
from ..ir.attribute import Integer, integer, optional_text
from ..ir.field import prop
from ..ir.location import place_of
from ..ir.text.assembly import property_value
from .buffer import core_of, is_global
from .checks import check_core, is_dense, pitch_of, space_of
from .step_op import StepOp

Fields = dict[str, Any]
Operands = dict[str, SSAValue]
Translation = tuple[str, Fields, Operands]
"""The instruction that an op becomes: its mnemonic, the values of its fields except addresses,
and the buffer of each address field."""

_WITH_INSTRUCTION = """\
write the method `instruction` of {name}: it returns the mnemonic, the fields and the buffers; an instruction of your \
own is registered with Plugin(instructions=[...])"""

NO_CLAMP = (-inf, inf)
"""The clamp that changes nothing."""


class CoreOp(StepOp):
    """Base of the ops that a core executes: copies and computations on whole tiles, in destination-passing style.

    `origin` is the name of the `tpu` result that the op is part of; reports on the program use it as their key.
    """

    core: Integer = prop(converter=integer, kw_only=False)
    origin: StringAttr | None = prop(converter=optional_text, default=None)

    MOVES_ONLY: ClassVar[bool] = False
    """Whether the op computes nothing itself: it moves, fills or converts."""
    PITCHED: ClassVar[frozenset[str]] = frozenset()
    """The operands that may be views whose rows begin at a pitch, with gaps between."""
    FILLS_ROWS: ClassVar[bool] = False
    """Whether the op says how many elements of a row it computes, and fills each row of what it writes up to its end,
    so that rows may be longer or shorter.
    """
    REACHES_OTHER_CORES: ClassVar[bool] = False
    """Whether the op may use buffers of other cores, as DMA engines do."""

    def __init__(
        self,
        core: int,
        *operands: SSAValue | Sequence[SSAValue] | None,
        location: LocationAttr | None = None,
        **fields: Any,
    ):
        """Make the op on `core`.

        Args:
            core: the core that executes the op.
            operands: the operands, in the order of the definition; a sequence for a list of them, None for one that is
                absent.
            location: where the op comes from.
            fields: the properties, as Python values; those left out are at their defaults.

        Raises TypeError if a field is missing or unknown.
        """
        properties = {key: property_value(type(self), key, fields[key]) for key in fields}
        IRDLOperation.__init__(
            self, operands=operands, properties={"core": integer(core), **properties}
        )
        if location is not None:
            self.location = location
        for key, each in self.get_irdl_definition().properties.items():
            if key not in self.properties and not isinstance(each, OptPropertyDef):
                raise TypeError(f"{self.name} needs '{key}'")

    def verify_(self) -> None:
        self._verify_buffers()
        self.verify_fields()

    def _verify_buffers(self) -> None:
        """Raise VerifyException if the core is negative, or an operand is not a buffer or belongs to another core."""
        check_core(self.core)
        for operand in self.operands:
            space_of(operand)
            if not is_dense(operand):
                self._verify_pitched(operand)
        if self.REACHES_OTHER_CORES:
            return
        core = self.core.value.data
        for operand in self.operands:
            owner = core_of(operand)
            if owner is not None and owner != core:
                raise VerifyException(f"a buffer of core {owner} is used on core {core}")

    def _verify_pitched(self, operand: SSAValue) -> None:
        """Raise VerifyException unless all uses that the op makes of a view with gaps between its rows allow them."""
        names = self.names_of(operand) - self.PITCHED
        if names:
            raise VerifyException(
                f"{min(names)} must be dense, is a view with rows at a pitch of {pitch_of(operand)}"
            )

    def names_of(self, operand: SSAValue) -> frozenset[str]:
        """Return the names of the operands that are this value."""
        operands = self.get_irdl_definition().operands
        return frozenset(
            name
            for name, _ in operands
            if (own := getattr(self, name)) is operand
            or (isinstance(own, tuple) and operand in own)
        )

    def verify_fields(self) -> None:
        """Raise VerifyException if the op's fields are wrong; buffers and cores have been checked before."""

    def instruction(self) -> Translation:
        """Return the op's instruction: its mnemonic, the values of its fields except addresses, and the buffers of its
        address fields.

        The tile interpreter executes this instruction with the device's functions, and the conversion to isa adds
        addresses to it, so that the op means the same in both. The fields are those of the instruction's class in
        `backends/instructions`: integers, reals, storage types and enums by name. An operand that is absent is left
        out.

        Raises ValueError if the op is not a computation: a copy becomes several transfers.
        """
        raise ValueError(f"{self.name} is no computation of a core")

    def checked_instruction(self) -> Translation:
        """Return the op's instruction. Raises DiagnosticError if its class names none, or an unknown one."""
        hint = _WITH_INSTRUCTION.format(name=type(self).__name__)
        if type(self).instruction is CoreOp.instruction:
            message = f"{self.name} has no instruction for convert-tile-to-isa"
            raise DiagnosticError(message, place_of(self), hint=hint)
        translation = self.instruction()
        if translation[0] not in BY_MNEMONIC:
            message = f"{self.name} becomes '{translation[0]}', and there is no such instruction"
            raise DiagnosticError(message, place_of(self), hint=hint)
        return translation

    @property
    def may_run_ahead(self) -> bool:
        """Whether the op only prepares a buffer of the core, from global memory or from nothing.

        Such an op may be moved before the computations of the preceding tile.
        """
        return not is_global(self.buffer_written) and all(map(is_global, self.buffers_read))

    @property
    def is_store(self) -> bool:
        """Whether the op writes contents of the core's memory to global memory."""
        return is_global(self.buffer_written) and not all(map(is_global, self.buffers_read))
