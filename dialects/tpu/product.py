"""The matrix product of `tpu`, and what it has in common with the convolution."""

from __future__ import annotations

from typing import Self

from xdsl.dialects.builtin import LocationAttr, StringAttr, TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import AttrSizedOperandSegments, irdl_op_definition, opt_operand_def, prop_def

from ..network.product import MatmulBase
from ..quant.element_type import is_quantized, shape_of
from . import quantization_rules as rules
from .tpu_op import ClampedOp, clamp_properties


class ProductOp(ClampedOp):
    """Base of the ops that sum products, then add bias and residual and clamp.

    Quantized: bias is i32 in units of the product of the operands' scales, residual as the result.
    `accumulator`, which holds the sums: "i32" or "i64" for quantized types, "f32" for floats.
    """

    accumulator = prop_def(StringAttr)
    residual = opt_operand_def(TensorType)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def product_properties(
        cls,
        first_factor: SSAValue,
        accumulator: str | None,
        clamp_low: float | None,
        clamp_high: float | None,
    ) -> dict[str, Attribute | None]:
        """The properties that every product has; `accumulator` i32 or f32 if None."""
        default = "i32" if is_quantized(first_factor.type) else "f32"
        return {
            "accumulator": StringAttr(accumulator or default),
            **clamp_properties(clamp_low, clamp_high),
        }


@irdl_op_definition
class MatmulOp(MatmulBase, ProductOp):
    """Matrix product, bias, residual, clamp; shapes as top.matmul, residual as the result.

    Quantized: as tpu.conv2d, but rhs is quantized along its last axis with zero point 0, or per
    tensor with any zero point.

    %fc = tpu.matmul "fc" %flat, %fw accumulator = "i32" :
        (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>, tensor<2x10x!quant.uniform<i8:f32,
        2.000000e-02:4>>) -> tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>
    """

    name = "tpu.matmul"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        bias: SSAValue | None = None,
        residual: SSAValue | None = None,
        *,
        element: Attribute | None = None,
        accumulator: str | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A matrix product; `element` is the result's (lhs's if None), `accumulator` i32 or f32 if
        None.
        """
        properties = cls.product_properties(lhs, accumulator, clamp_low, clamp_high)
        operands = [lhs, rhs, bias, residual]
        return cls.build_named(name, operands, properties, location, element=element)

    def verify_elements(self) -> None:
        rules.product(
            self.lhs, self.rhs, self.bias, self.residual, self.output, self.accumulator.data,
            weight_axis=len(shape_of(self.rhs)) - 1, weight_zero_point=True,
        )  # fmt: skip
