"""What the constants of top and tpu have in common: where their data come from."""

from __future__ import annotations

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, StringAttr
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Integer, optional_dense, optional_integer, optional_text
from ..ir.field import prop
from ..quant.element_type import element_storage, type_of_storage
from .shape import Shape
from .tensor_op import TensorOp


class WeightBase(TensorOp):
    """A constant tensor, given by a key in the weight store, by a seed (reproducible random values), or as a small
    `dense<>`.
    """

    key: StringAttr | None = prop(converter=optional_text, default=None)
    seed: Integer | None = prop(converter=optional_integer, default=None)
    value: DenseIntOrFPElementsAttr | None = prop(converter=optional_dense, default=None)

    def expected_shape(self) -> Shape:
        return self.output.type.get_shape()

    def verify_source(self) -> None:
        """Raise VerifyException unless the weight has exactly one source, its elements have a storage type, and a
        `dense<>` fits the result's storage type and shape.
        """
        sources = {"key": self.key, "seed": self.seed, "value": self.value}
        given = [name for name, source in sources.items() if source is not None]
        if len(given) != 1:
            listed = " and ".join(given) or "none of them"
            raise VerifyException(f"exactly one of key, seed and value is needed, got {listed}")
        if self.seed is not None and self.seed.value.data < 0:
            raise VerifyException(f"seed {self.seed.value.data} must be at least 0")
        type = self.output.type
        try:
            stored = type_of_storage(element_storage(type))
        except ValueError as error:
            raise VerifyException(str(error)) from None
        if self.value is None:
            return
        if self.value.get_shape() != type.get_shape():
            raise VerifyException(
                f"value has shape {list(self.value.get_shape())}, the result "
                f"{list(type.get_shape())}"
            )
        if self.value.get_element_type() != stored:
            raise VerifyException(
                f"value has elements of {self.value.get_element_type()}, expected {stored}"
            )
