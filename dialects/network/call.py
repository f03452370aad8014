"""What `top.call` and `tpu.host_call` have in common: a named function of any number of tensors of any elements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import DictionaryAttr, StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.functions.call import Call
from ...backends.numerics.functions.function import FunctionError, TensorKind
from ..ir.attribute import Integer, integer, optional_dictionary, plain_values, text
from ..ir.field import operand_list, prop
from ..quant.element_type import (
    element_of,
    element_storage,
    expressed,
    is_quantized,
    shape_of,
    type_of_storage,
)
from .shape import Shape, ShapeError
from .tensor_op import Arrays, TensorOp


class CallBase(TensorOp):
    """The result number `result` of a named function of the inputs (backends/numerics/functions). `attributes` are the
    function's own, those at their defaults left out.
    """

    inputs: Sequence[SSAValue] = operand_list()
    function: StringAttr = prop(converter=text)
    given: DictionaryAttr | None = prop(
        converter=optional_dictionary, default=None, alias="attributes"
    )
    result: Integer = prop(converter=integer, default=0)

    def call(self) -> Call:
        """Return the call. Raises FunctionError if the function does not take the operands, VerifyException if
        an attribute is none that functions have.
        """
        kinds = [TensorKind(shape_of(value), element_storage(value.type)) for value in self.inputs]
        attributes = plain_values(self.given)
        return Call.of(self.function.data, kinds, attributes, self.result.value.data)

    def expected_shape(self) -> Shape:
        try:
            return self.call().result_kind.shape
        except FunctionError as error:
            raise ShapeError(str(error)) from None

    def result_element(self) -> Attribute:
        return type_of_storage(self.call().result_kind.storage)

    def verify_call(self) -> None:
        """Raise VerifyException if an operand is quantized, or if the result has not the elements that the function
        gives.
        """
        for name, value in self.named_operands():
            if is_quantized(value.type):
                raise VerifyException(
                    f"{name} is {element_of(value)}: functions take floats, integers and bools as they are"
                )
        expected, found = self.result_element(), expressed(self.output.type.element_type)
        if found != expected:
            raise VerifyException(f"result must have elements of {expected}, got {found}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.call().compute(operands)
