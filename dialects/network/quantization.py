"""What `top.storage_cast` and `tpu.storage_cast` have in common: a quantized tensor and the integers that store it."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import traits_def
from xdsl.utils.exceptions import VerifyException

from ..ir.field import operand
from ..quant.element_type import element_of, element_storage, is_quantized, shape_of
from .shape import Shape
from .tensor_op import Arrays, TensorOp
from .traits import Converts


class StorageCastBase(TensorOp):
    """A quantized tensor taken for the integers that store it, or the reverse; no bits change."""

    traits = traits_def(Converts())
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_storage(self) -> None:
        """Raise VerifyException unless one side is quantized and the other has the integers that store it."""
        sides = {"input": element_of(self.input), "result": self.output.type.element_type}
        quantized = [name for name, element in sides.items() if is_quantized(element)]
        if len(quantized) != 1:
            raise VerifyException(
                f"one side must be quantized, the other integers; got {sides['input']} and {sides['result']}"
            )
        (name,) = quantized
        storage = storage_or_none(sides.pop(name))
        ((other, found),) = sides.items()
        if storage is None or storage != storage_or_none(found):
            raise VerifyException(f"{other} must have the elements that store {name}, got {found}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return operands[0]

    def unchanged_operand(self) -> SSAValue | None:
        source = self.input.owner
        if not isinstance(source, StorageCastBase) or source.input.type != self.output.type:
            return None
        return source.input


def storage_or_none(element: Attribute) -> str | None:
    """Return the storage name of elements; None if no storage holds them."""
    try:
        return element_storage(element)
    except ValueError:
        return None
