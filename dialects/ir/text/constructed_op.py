"""The base of ops whose constructor follows from their fields (`../field.py`)."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, dataclass_transform

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValues, Use

from ..field import argument, buffer, buffer_list, operand, operand_list, prop
from .assembly import TextOp


@dataclass_transform(
    eq_default=False,
    field_specifiers=(prop, operand, operand_list, buffer, buffer_list, argument, field),
)
class _FieldsOp(TextOp):
    """Base of ops whose constructor follows from their fields."""


if TYPE_CHECKING:

    def _known_location(location: LocationAttr | None) -> LocationAttr: ...

    class ConstructedOp(_FieldsOp):
        """Tells type checkers about the constructor that every op has; xDSL's own fields are not arguments of it."""

        _operands: SSAValues = field(init=False)
        _operand_uses: tuple[Use, ...] = field(init=False)
        results: SSAValues[OpResult] = field(init=False)
        _successors: tuple[Block, ...] = field(init=False)
        _successor_uses: tuple[Use, ...] = field(init=False)
        properties: dict[str, Attribute] = field(init=False)
        attributes: dict[str, Attribute] = field(init=False)
        regions: tuple[Region, ...] = field(init=False)
        parent: Block | None = field(init=False)
        _next_op: Operation | None = field(init=False)
        _prev_op: Operation | None = field(init=False)
        location: LocationAttr = argument(converter=_known_location, default=None)
else:
    ConstructedOp = _FieldsOp
