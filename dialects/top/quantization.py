"""The ops of `top` between real numbers and the integers that stand for them, by which pre-quantized networks keep
their scales.

They stand in place of MLIR's `quant.qcast`, `quant.dcast` and `quant.scast`, which have no `name`; calibration tables
and interpreters know values by it.
"""

from __future__ import annotations

from dataclasses import InitVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.quantization import dequantize_linear, quantize_linear
from ..ir.field import argument, operand
from ..network.quantization import StorageCastBase
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import Converts, TakesAnyElements
from ..quant import UniformQuantizedType
from ..quant.element_type import element_of, element_storage, expressed, shape_of
from ..quant.parameter_grid import spread_parameters
from .top_op import TopOp

_EXACT_BITS = 16
"""The most bits of integers that f32 brings back exactly when they are dequantized and quantized with one scale."""


class QuantizationOp(TopOp):
    """Base of the conversions; operand and result have one shape."""

    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def _quantized(self, name: str, type: Attribute) -> UniformQuantizedType:
        """Return the element type of a quantized tensor. Raises VerifyException if it is not quantized, or if its axes
        or blocks do not fit the shape.
        """
        assert isinstance(type, TensorType)
        element = type.element_type
        if not isinstance(element, UniformQuantizedType):
            raise VerifyException(f"{name} must be quantized, got elements of {element}")
        try:
            element_storage(element)
            spread_parameters(element, type.get_shape())
        except ValueError as error:
            raise VerifyException(f"{name}: {error}") from None
        return element

    def _verify_expressed(
        self, name: str, real: Attribute, quantized: UniformQuantizedType
    ) -> None:
        if expressed(real) != quantized.expressed:
            raise VerifyException(f"{name} must have elements of {quantized.expressed}, got {real}")


@irdl_op_definition
class QuantizeOp(QuantizationOp):
    """The integers that stand for real numbers: saturate(round_half_even(input / scale) + zero point), with the scales
    and zero points of the result's type, as ONNX's QuantizeLinear.

    %q = top.quantize "q" %x : (tensor<4xf32>) -> tensor<4x!quant.uniform<u8:f32, 2.500000e-01:128>>
    """

    name = "top.quantize"
    element: InitVar[Attribute] = argument()
    traits = traits_def(Converts(), TakesAnyElements())

    def _verify_elements(self) -> None:
        element = self._quantized("result", self.output.type)
        self._verify_expressed("input", element_of(self.input), element)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        element = self._quantized("result", self.output.type)
        scales, points = spread_parameters(element, self.output.type.get_shape())
        return quantize_linear(operands[0], scales, points, element_storage(element))

    def unchanged_operand(self) -> SSAValue | None:
        source = self.input.owner
        if not isinstance(source, DequantizeOp) or source.input.type != self.output.type:
            return None
        element = element_of(source.input)
        assert isinstance(element, UniformQuantizedType)
        return source.input if element.storage.width.data <= _EXACT_BITS else None


@irdl_op_definition
class DequantizeOp(QuantizationOp):
    """The real numbers that integers stand for: (input - zero point) · scale, with the scales and zero points of the
    input's type, as ONNX's DequantizeLinear.

    %x = top.dequantize "x" %q : (tensor<4x!quant.uniform<u8:f32, 2.500000e-01:128>>) -> tensor<4xf32>
    """

    name = "top.dequantize"
    element: InitVar[Attribute | None] = argument(default=None)
    traits = traits_def(Converts(), TakesAnyElements())

    def result_element(self) -> Attribute:
        return self._quantized("input", self.input.type).expressed

    def _verify_elements(self) -> None:
        element = self._quantized("input", self.input.type)
        self._verify_expressed("result", self.output.type.element_type, element)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        element = self._quantized("input", self.input.type)
        scales, points = spread_parameters(element, self.output.type.get_shape())
        return dequantize_linear(operands[0], scales, points, element_storage(self.output.type))


@irdl_op_definition
class StorageCastOp(StorageCastBase, TopOp):
    """A quantized tensor taken for the integers that store it, or the reverse; no bits change.

    %i = top.storage_cast "i" %q : (tensor<4x!quant.uniform<u8:f32, 2.500000e-01:128>>) -> tensor<4xui8>
    """

    name = "top.storage_cast"
    element: InitVar[Attribute] = argument()
    traits = traits_def(TakesAnyElements())

    def _verify_elements(self) -> None:
        self.verify_storage()
