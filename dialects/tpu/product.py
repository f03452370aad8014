"""The matrix product of `tpu`, and what it has in common with the convolution."""

from __future__ import annotations

from dataclasses import InitVar

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import AttrSizedOperandSegments, irdl_op_definition, traits_def

from ...backends.numerics import epilogue, matmul
from ...backends.numerics.matmul import accumulator_dtype, is_float_dtype
from ...backends.numerics.quantization import quantize_multiplier
from ...backends.numerics.sample_axis import as_matrices, as_rows
from ..ir.attribute import text
from ..ir.field import DERIVED, argument, operand, prop
from ..network.product import MatmulBase
from ..network.tensor_op import Arrays
from ..network.traits import RowMajor
from ..quant.element_type import element_storage, is_quantized, shape_of
from ..quant.number_format import NumberFormat, float_clamp
from . import quantization_rules as rules
from .tpu_op import ClampedOp


class ProductOp(ClampedOp):
    """Base of the ops that sum products, then add bias and residual, then clamp.

    For quantized types the bias is i32 in units of the product of the operands' scales, and the residual has the
    result's storage type. `accumulator` is the type that holds the sums: "i32" or "i64" for quantized types, "f32" for
    floats.
    """

    accumulator: StringAttr = prop(converter=text, default=DERIVED)
    residual: SSAValue | None = operand(default=None, kw_only=True)
    element: InitVar[Attribute | None] = argument(default=None)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @property
    def uses_matrix_unit(self) -> bool:
        """Whether the matrix unit sums the products."""
        return True

    def derive_fields(self) -> None:
        if "accumulator" not in self.properties:
            quantized = is_quantized(self.operands[0].type)
            self.properties["accumulator"] = text("i32" if quantized else "f32")

    def weights_of_inputs(self, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return weights [S or 1, ...] as numbers that `inputs` are multiplied with: times the scales of their groups,
        and integers as the same floats if the inputs are floats.
        """
        input, weight = (value.type for value in self.operands[:2])
        weights = NumberFormat.of(weight).multiplied(weights, element_storage(input))
        mixed = is_float_dtype(inputs.dtype) and not is_float_dtype(weights.dtype)
        return weights.astype(inputs.dtype) if mixed else weights

    def finish(
        self, acc: np.ndarray, bias: np.ndarray | None, residual: np.ndarray | None
    ) -> np.ndarray:
        """Add bias and residual to the sums acc[S or 1, ..., c], then requantize (or round) and clamp.

        `bias` is [S or 1, c], in units of the product of the operands' scales; `residual` is [S or 1, ...], in the
        shape of the result. If the bias differs between samples, the samples are finished one at a time.
        """
        samples = max(len(value) for value in (acc, bias, residual) if value is not None)
        acc = _repeated(acc, samples)
        residual = None if residual is None else _repeated(residual, samples)
        if bias is None or len(bias) == 1:
            return self._finish(acc, None if bias is None else bias[0], residual)
        parts = [
            self._finish(acc[i : i + 1], row, None if residual is None else residual[i : i + 1])
            for i, row in enumerate(bias)
        ]
        return np.concatenate(parts)

    def _finish(
        self, acc: np.ndarray, bias: np.ndarray | None, residual: np.ndarray | None
    ) -> np.ndarray:
        input, weight = (NumberFormat.of(value.type) for value in self.operands[:2])
        result = NumberFormat.of(self.output.type)
        if not result.is_quantized:
            bounds = float_clamp(self.clamp)
            is_scaled = weight.is_quantized and weight.groups is None
            own = input.scale * weight.scales if input.is_quantized else weight.scales
            scales = _per_channel(own, acc) if is_scaled else None
            return epilogue.epilogue_float(acc, bias, result.storage, bounds, residual, scales)
        scales = input.scale * weight.scales
        multiplier, shift = quantize_multiplier(_per_channel(scales / result.scale, acc))
        rest = None
        if residual is not None and self.residual is not None:
            form = NumberFormat.of(self.residual.type)
            rest_multiplier, rest_shift = quantize_multiplier(
                _per_channel(form.scale / scales, acc)
            )
            rest = (residual, form.zero_point, rest_multiplier, rest_shift)
        return epilogue.epilogue_int(
            acc,
            bias,
            multiplier,
            shift,
            result.zero_point,
            result.storage,
            result.clamp(self.clamp),
            rest,
        )


@irdl_op_definition
class MatmulOp(MatmulBase, ProductOp):
    """Matrix product, then bias, residual and clamp. Shapes are those of top.matmul; the residual has the result's
    shape.

    Quantized types are as in tpu.conv2d, but rhs is quantized along its last axis with zero point 0, or per tensor with
    any zero point.

    %fc = tpu.matmul "fc" %flat, %fw accumulator = "i32" :
        (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>, tensor<2x10x!quant.uniform<i8:f32,
        2.000000e-02:4>>) -> tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>
    """

    name = "tpu.matmul"
    traits = traits_def(RowMajor())

    def verify_elements(self) -> None:
        rules.product(
            self.lhs, self.rhs, self.bias, self.residual, self.output, self.accumulator.data,
            weight_axis=len(shape_of(self.rhs)) - 1, weight_zero_point=True,
        )  # fmt: skip

    def evaluate(self, operands: Arrays) -> np.ndarray:
        given = self.operands_by_name(operands)
        right = self.weights_of_inputs(given["lhs"], given["rhs"])
        a, b = as_matrices(given["lhs"], right)
        samples = max(len(a), len(b))
        outer = np.broadcast_shapes(a.shape[1:-2], b.shape[1:-2])
        shape = (samples, *outer, a.shape[-2], b.shape[-1])
        acc = matmul.matmul(*as_rows(a, b), self.accumulator.data).reshape(shape)
        lhs, rhs = NumberFormat.of(self.lhs.type), NumberFormat.of(self.rhs.type)
        if not lhs.sums_floats:
            acc = _without_zero_points(acc, a, b, lhs.zero_point, rhs.zero_point)
        residual = given.get("residual")
        if residual is not None:
            residual = residual.reshape(len(residual), *shape[1:])
        result = self.finish(acc, given.get("bias"), residual)
        return result.reshape(samples, *self.output.type.get_shape())


def _repeated(value: np.ndarray, samples: int) -> np.ndarray:
    """Return a value [S or 1, ...], such as a weight, repeated for each of S samples; the result is a view."""
    return np.broadcast_to(value, (samples, *value.shape[1:]))


def _per_channel(values: np.ndarray, acc: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values, acc.shape[-1:])


def _without_zero_points(
    acc: np.ndarray, a: np.ndarray, b: np.ndarray, zero_a: int, zero_b: int
) -> np.ndarray:
    """Return Σ (a − za)(b − zb), computed from Σ a·b, in the accumulator's type (wrapping as it does)."""
    if not zero_a and not zero_b:
        return acc
    total = acc.astype(np.int64)
    if zero_a:
        total = total - zero_a * (
            b.sum(axis=-2, dtype=np.int64, keepdims=True) - a.shape[-1] * zero_b
        )
    if zero_b:
        total = total - zero_b * a.sum(axis=-1, dtype=np.int64, keepdims=True)
    name = "i32" if acc.dtype == np.int32 else "i64"
    return total.astype(accumulator_dtype(name))
