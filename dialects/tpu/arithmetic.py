"""The arithmetic of `tpu`: element-wise ops of two operands."""

from __future__ import annotations

from dataclasses import InitVar
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics import elementwise
from ...backends.numerics.quantization import add_parameters, quantize_multiplier
from ...backends.numerics.sample_axis import broadcastable
from ..ir.attribute import flag
from ..ir.field import argument, prop
from ..network.arithmetic import BinaryBase
from ..network.tensor_op import Arrays
from ..network.traits import KeepsLayout
from ..quant.element_type import is_quantized
from ..quant.number_format import NumberFormat
from . import quantization_rules as rules
from .tpu_op import ClampedOp


class BinaryOp(BinaryBase, ClampedOp):
    """Base of the element-wise ops of two operands, with NumPy's broadcasting."""

    traits = traits_def(KeepsLayout())

    element: InitVar[Attribute | None] = argument(default=None)
    QUANTIZED: ClassVar[bool] = False

    def verify_elements(self) -> None:
        values = [("lhs", self.lhs), ("rhs", self.rhs), ("result", self.output)]
        if self.QUANTIZED and is_quantized(self.output.type):
            rules.activations(values, one_storage=True)
        else:
            rules.floats(values)

    @staticmethod
    def compute(lhs: np.ndarray, rhs: np.ndarray, /) -> np.ndarray:
        """Compute the result for two arrays of floats that broadcast."""
        raise NotImplementedError

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.rounded_and_clamped(self.compute(*broadcastable(*operands)))

    def table_operand(self) -> SSAValue | None:
        return self.operand_beside_number()


@irdl_op_definition
class AddOp(BinaryOp):
    """lhs + rhs; floats, or quantized values of one storage type.

    `separate` keeps the addition apart from the product that gives an operand: the model itself rounds that operand.

    %add = tpu.add "add" %clamp, %residual :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>, tensor<1x2x4x4x!quant.uniform<i8:f32,
        1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.add"
    separate: UnitAttr | None = prop(converter=flag, default=False)
    compute = staticmethod(elementwise.add)
    QUANTIZED: ClassVar[bool] = True

    def evaluate(self, operands: Arrays) -> np.ndarray:
        result = NumberFormat.of(self.output.type)
        if not result.is_quantized:
            return super().evaluate(operands)
        lhs, rhs = NumberFormat.of(self.lhs.type), NumberFormat.of(self.rhs.type)
        left, right, shift = add_parameters(lhs.scale, rhs.scale, result.scale)
        return elementwise.add_int(
            *broadcastable(*operands),
            zero_point_a=lhs.zero_point,
            zero_point_b=rhs.zero_point,
            multiplier_a=left,
            multiplier_b=right,
            shift=shift,
            zero_point=result.zero_point,
            storage=result.storage,
            clamp=result.clamp(self.clamp),
        )


@irdl_op_definition
class SubOp(BinaryOp):
    """lhs − rhs (float types only).

    %sub = tpu.sub "sub" %p, %logits : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.sub"
    compute = staticmethod(elementwise.sub)


@irdl_op_definition
class MulOp(BinaryOp):
    """lhs · rhs; floats, or quantized values of one storage type.

    %mul = tpu.mul "mul" %add, %residual :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>, tensor<1x2x4x4x!quant.uniform<i8:f32,
        1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.mul"
    compute = staticmethod(elementwise.mul)
    QUANTIZED: ClassVar[bool] = True

    def evaluate(self, operands: Arrays) -> np.ndarray:
        result = NumberFormat.of(self.output.type)
        if not result.is_quantized:
            return super().evaluate(operands)
        lhs, rhs = NumberFormat.of(self.lhs.type), NumberFormat.of(self.rhs.type)
        multiplier, shift = quantize_multiplier(lhs.scale * rhs.scale / result.scale)
        return elementwise.mul_int(
            *broadcastable(*operands),
            zero_point_a=lhs.zero_point,
            zero_point_b=rhs.zero_point,
            multiplier=int(multiplier),
            shift=int(shift),
            zero_point=result.zero_point,
            storage=result.storage,
            clamp=result.clamp(self.clamp),
        )


@irdl_op_definition
class DivOp(BinaryOp):
    """lhs / rhs (float types only).

    %div = tpu.div "div" %sub, %logits clamp_low = 0.0 :
        (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.div"
    compute = staticmethod(elementwise.div)


class ExtremeOp(BinaryOp):
    """Base of min and max: of floats, or of quantized values of one type, whose stored values are compared."""

    def verify_elements(self) -> None:
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.same_element("result", self.output, "lhs", self.lhs)
        if is_quantized(self.output.type):
            rules.activations([("lhs", self.lhs)], one_storage=True)
        else:
            rules.floats([("lhs", self.lhs)])

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.clamped(self.compute(*broadcastable(*operands)))


@irdl_op_definition
class MinOp(ExtremeOp):
    """The smaller of lhs and rhs, NaN if either is NaN; operands and result have one element type.

    %min = tpu.min "min" %q, %q clamp_low = 0.0 :
        (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>,
        tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
    """

    name = "tpu.min"
    compute = staticmethod(elementwise.minimum)


@irdl_op_definition
class MaxOp(ExtremeOp):
    """The larger of lhs and rhs, NaN if either is NaN; operands and result have one element type.

    %max = tpu.max "max" %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.max"
    compute = staticmethod(elementwise.maximum)


@irdl_op_definition
class PowerOp(BinaryOp):
    """lhs^rhs (float types only).

    %power = tpu.power "power" %max, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.power"
    compute = staticmethod(elementwise.power)


@irdl_op_definition
class ModuloOp(BinaryOp):
    """The remainder of lhs / rhs, with the sign of lhs (float types only).

    %modulo = tpu.modulo "modulo" %power, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.modulo"
    compute = staticmethod(elementwise.modulo)


@irdl_op_definition
class PreluOp(BinaryOp):
    """lhs where it is not negative, lhs · rhs (the slope) where it is (float types only).

    %prelu = tpu.prelu "prelu" %modulo, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.prelu"
    compute = staticmethod(elementwise.prelu)
