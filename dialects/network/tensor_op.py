"""The base of the ops of top and tpu: one named result, a shape that follows from the operands, costs.

The other files of this folder hold what, for example, `top.conv2d` and `tpu.conv2d` share, family by family. Which
element types an op takes is settled in each dialect.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import InitVar
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import LocationAttr, StringAttr, TensorType, f32
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, OptOperandDef, OptPropertyDef, result_def, traits_def
from xdsl.rewriter import Rewriter
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.storage import round_to
from ..ir.attribute import text
from ..ir.field import argument, prop
from ..ir.location import names_of
from ..ir.text.assembly import property_value
from ..ir.text.constructed_op import ConstructedOp
from ..quant.element_type import element_storage, type_bytes
from .shape import Shape, ShapeError

Arrays = Sequence[np.ndarray]
"""The values of an op's operands, in their order: arrays [S, shape...] of S samples, in storage types and in
ONNX's layout; S is 1 for a value that all samples share.
"""

_MAX_AXES = 32
"""The most axes of a tensor: NumPy's arrays have at most 64, and samples, tiles and lanes take some."""


if TYPE_CHECKING:

    class _NetworkOp(ConstructedOp):
        """Tells type checkers that every constructor takes the type of the result."""

        type: InitVar[TensorType | None] = argument(default=None)
else:
    _NetworkOp = ConstructedOp


class TensorOp(_NetworkOp, HasFolderInterface):
    """Base of the ops of `top` and `tpu`: one tensor result, named by the property `name`; no side
    effects.
    """

    result_name: StringAttr = prop(converter=text, alias="name", kw_only=False)
    output = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(
        self,
        name: str,
        *operands: SSAValue | Sequence[SSAValue] | None,
        location: LocationAttr | None = None,
        type: TensorType | None = None,
        element: Attribute | None = None,
        shape: Sequence[int] = (),
        **fields: Any,
    ):
        """Make an op of its operands, in their order or by keyword, and its fields, as Python values.

        Args:
            name: the name of the result.
            operands: the operands; None for one that is left out.
            location: where the op comes from.
            type: the result's type; without it the shape follows from the operands.
            element: the element type of the result; the op's own choice if None.
            shape: the result's shape, for an op whose operands do not tell.
            fields: the properties; those left out are at their defaults.

        Raises:
            DiagnosticError: if the shapes do not fit together.
            TypeError: if an operand or field is missing or unknown.
        """
        values = self._operands_in_order(operands, fields)
        properties = {key: property_value(builtins.type(self), key, fields[key]) for key in fields}
        IRDLOperation.__init__(
            self,
            operands=values,
            result_types=[type or TensorType(element or f32, shape)],
            properties={"name": text(name), **properties},
        )
        if location is not None:
            self.location = location
        self.derive_fields()
        for key, each in self.get_irdl_definition().properties.items():
            if key not in self.properties and not isinstance(each, OptPropertyDef):
                raise TypeError(f"{self.name} '{name}' needs '{key}'")
        try:
            expected = self.expected_shape()
        except ShapeError as error:
            place = ", ".join(names_of(self.location)) or name
            raise DiagnosticError(f"{self.name} '{name}': {error}", Place(name=place)) from None
        if type is None:
            result = TensorType(element or self.result_element(), list(expected))
            Rewriter.replace_value_with_new_type(self.output, result)

    def _operands_in_order(self, operands: Sequence[Any], fields: dict[str, Any]) -> list[Any]:
        """Take the operands that are given by keyword out of `fields` and put them in their places."""
        definitions = self.get_irdl_definition().operands
        if len(operands) > len(definitions):
            raise TypeError(f"{self.name} has {len(definitions)} operands, got {len(operands)}")
        given = dict(zip((key for key, _ in definitions), operands, strict=False))
        values = [fields.pop(key, given.get(key)) for key, _ in definitions]
        for (key, each), value in zip(definitions, values, strict=True):
            if value is None and not isinstance(each, OptOperandDef):
                raise TypeError(f"{self.name} needs operand '{key}'")
        return values

    def derive_fields(self) -> None:
        """Set the fields that were left out and follow from the operands and the result's elements."""

    def expected_shape(self) -> Shape:
        """Return the shape that the result must have. Raises ShapeError if the operands do not fit together."""
        raise NotImplementedError(type(self).__name__)

    def result_element(self) -> Attribute:
        """Return the element type of a result that is made without one."""
        raise NotImplementedError(type(self).__name__)

    def unchanged_operand(self) -> SSAValue | None:
        """Return the operand that the result equals, element by element; None for an op that changes elements,
        as here.
        """
        return None

    def fold(self) -> Sequence[SSAValue] | None:
        """Fold the op to its unchanged operand if that has the type of the result. If only the calibrated ranges
        differ, the op must stay: it is where the range changes.
        """
        value = self.unchanged_operand()
        return None if value is None or value.type != self.output.type else [value]

    def named_operands(self) -> list[tuple[str, Any]]:
        """Return the operands that are given, each with the name of its field; the operands of a list have a number in
        their name.
        """
        found: list[tuple[str, Any]] = []
        for name, _ in self.get_irdl_definition().operands:
            value = getattr(self, name)
            if isinstance(value, SSAValue):
                found.append((name, value))
            elif value is not None:
                found += [(f"{name}[{index}]", each) for index, each in enumerate(value)]
        return found

    def verify_shape(self) -> None:
        """Raise VerifyException unless the result has the shape that follows from the operands."""
        for name, value in [*self.named_operands(), ("result", self.output)]:
            if any(size < 0 for size in value.type.get_shape()):
                raise VerifyException(f"{name} has a size that is not known: {value.type}")
            if (axes := len(value.type.get_shape())) > _MAX_AXES:
                raise VerifyException(f"{name} has {axes} axes, at most {_MAX_AXES} are supported")
        try:
            expected = self.expected_shape()
        except ShapeError as error:
            raise VerifyException(str(error)) from None
        if self.output.type.get_shape() != expected:
            raise VerifyException(
                f"result has shape {list(self.output.type.get_shape())}, expected {list(expected)}"
            )

    def evaluate(self, operands: Arrays) -> np.ndarray:
        """Compute the result [S, shape...]: the interpreters and the passes that compute constants call this.

        The result may be a view of an operand.

        Raises:
            NotImplementedError: if the op does not say what it computes.
            ValueError: if the op is not defined on these numbers.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method evaluate")

    def operands_by_name(self, operands: Arrays) -> dict[str, np.ndarray]:
        """Return the arrays of the operands by the names of their fields."""
        names = (name for name, _ in self.named_operands())
        return dict(zip(names, operands, strict=True))

    def rounded(self, value: np.ndarray) -> np.ndarray:
        """Round a result computed in f32 once, to the storage type of the op's result."""
        return round_to(value, element_storage(self.output.type))

    @property
    def macs(self) -> int:
        """Number of multiply-accumulates; 0 for ops that are not products of tensors."""
        return 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the operands and the result."""
        return sum(type_bytes(value.type) for value in [*self.operands, self.output])
