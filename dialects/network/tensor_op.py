"""The base of the ops of top and tpu: one named result, a shape that follows from the operands, costs.

The other files of this folder hold what, say, `top.conv2d` and `tpu.conv2d` share, family by family; what
element types they take is each dialect's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import LocationAttr, StringAttr, TensorType, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def, result_def, traits_def
from xdsl.rewriter import Rewriter
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.storage import round_to
from ..ir.location import names_of
from ..ir.text.assembly import TextOp
from ..quant.element_type import element_storage, type_bytes
from .shape import Shape, ShapeError

Arrays = Sequence[np.ndarray]
"""The values of an op's operands, in their order: arrays [S, shape...] of S samples, in storage types and in
ONNX's layout; S is 1 for a value that all samples share.
"""

_PLACEHOLDER = TensorType(f32, [])


class TensorOp(TextOp):
    """Base of the ops of `top` and `tpu`: one tensor result, named by the property `name`; no side
    effects.
    """

    result_name = prop_def(StringAttr, prop_name="name")
    output = result_def(TensorType)
    traits = traits_def(Pure())

    @classmethod
    def build_named(
        cls,
        name: str,
        operands: Sequence[SSAValue | None],
        properties: Mapping[str, Attribute | None],
        location: LocationAttr | None,
        type: TensorType | None = None,
        *,
        element: Attribute | None = None,
    ) -> Self:
        """An op named `name`; without `type` the result's shape follows, its element is `element`
        or the op's own choice.

        DiagnosticError where the shapes do not fit together.
        """
        op = cls.build(
            operands=operands,
            result_types=[type or _PLACEHOLDER],
            properties={"name": StringAttr(name), **properties},
        )
        if location is not None:
            op.location = location
        try:
            shape = op.expected_shape()
        except ShapeError as error:
            place = ", ".join(names_of(op.location)) or name
            raise DiagnosticError(f"{cls.name} '{name}': {error}", Place(name=place)) from None
        if type is None:
            result = TensorType(element or op.result_element(), list(shape))
            Rewriter.replace_value_with_new_type(op.output, result)
        return op

    def expected_shape(self) -> Shape:
        """The shape that the result must have; ShapeError where the operands do not fit
        together.
        """
        raise NotImplementedError(type(self).__name__)

    def result_element(self) -> Attribute:
        """Element type of a result that is made without one."""
        raise NotImplementedError(type(self).__name__)

    def named_operands(self) -> list[tuple[str, Any]]:
        """The operands that are there, with their field's name; those of a list with a number."""
        found: list[tuple[str, Any]] = []
        for name, _ in self.get_irdl_definition().operands:
            value = getattr(self, name)
            if isinstance(value, SSAValue):
                found.append((name, value))
            elif value is not None:
                found += [(f"{name}[{index}]", each) for index, each in enumerate(value)]
        return found

    def verify_shape(self) -> None:
        """VerifyException where the result has another shape than its operands make it."""
        for name, value in [*self.named_operands(), ("result", self.output)]:
            if any(size < 0 for size in value.type.get_shape()):
                raise VerifyException(f"{name} has a size that is not known: {value.type}")
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
        """Return the arrays of the operands by the name of their field."""
        names = (name for name, _ in self.named_operands())
        return dict(zip(names, operands, strict=True))

    def rounded(self, value: np.ndarray) -> np.ndarray:
        """Round a result computed in f32 once, to the storage type of the op's result."""
        return round_to(value, element_storage(self.output.type))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the op; 0 for those that are no products of tensors."""
        return 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the operands and the result."""
        return sum(type_bytes(value.type) for value in [*self.operands, self.output])
