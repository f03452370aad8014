"""Convolutions and matrix products of tpu: exact sums, then bias, residual, requantization and
clamp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...dialects import tpu
from ...dialects.quant.number_format import Clamp, NumberFormat, float_clamp
from ..numerics import convolution, epilogue
from ..numerics import matmul as products
from ..numerics.matmul import accumulator_dtype
from ..numerics.quantization import quantize_multiplier
from ..numerics.sample_axis import as_matrices, as_rows, channel_first, channel_last


@dataclass(frozen=True)
class Finish:
    """What follows the sums of a product; operands with a sample axis.

    `bias` is [S or 1, c], i32 in units of input scale · weight scale (f32 for floats), `residual`
    [S or 1, ...] as the result.
    """

    input: NumberFormat
    weight: NumberFormat
    result: NumberFormat
    residual_format: NumberFormat | None
    clamp: Clamp

    def apply(
        self, acc: np.ndarray, bias: np.ndarray | None, residual: np.ndarray | None
    ) -> np.ndarray:
        """The result for sums acc[S or 1, ..., c]; one sample at a time where the bias differs
        between samples.
        """
        samples = max(len(operand) for operand in (acc, bias, residual) if operand is not None)
        acc = _repeated(acc, samples)
        residual = None if residual is None else _repeated(residual, samples)
        if bias is None or len(bias) == 1:
            return self._apply(acc, None if bias is None else bias[0], residual)
        parts = [
            self._apply(acc[i : i + 1], row, None if residual is None else residual[i : i + 1])
            for i, row in enumerate(bias)
        ]
        return np.concatenate(parts)

    def _apply(
        self, acc: np.ndarray, bias: np.ndarray | None, residual: np.ndarray | None
    ) -> np.ndarray:
        if not self.result.is_quantized:
            bounds = float_clamp(self.clamp)
            return epilogue.epilogue_float(acc, bias, self.result.storage, bounds, residual)
        scales = self.input.scale * self.weight.scales
        multiplier, shift = quantize_multiplier(_per_channel(scales / self.result.scale, acc))
        rest = None
        if residual is not None and self.residual_format is not None:
            form = self.residual_format
            rest_multiplier, rest_shift = quantize_multiplier(
                _per_channel(form.scale / scales, acc)
            )
            rest = (residual, form.zero_point, rest_multiplier, rest_shift)
        return epilogue.epilogue_int(
            acc,
            bias,
            multiplier,
            shift,
            self.result.zero_point,
            self.result.storage,
            self.result.clamp(self.clamp),
            rest,
        )


def _repeated(value: np.ndarray, samples: int) -> np.ndarray:
    """A value [S or 1, ...], such as a weight, as that of each of S samples; a view."""
    return np.broadcast_to(value, (samples, *value.shape[1:]))


def _per_channel(values: np.ndarray, acc: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values, acc.shape[-1:])


def _finish(op: tpu.Conv2dOp | tpu.MatmulOp, input: NumberFormat, weight: NumberFormat) -> Finish:
    residual = None if op.residual is None else NumberFormat.of(op.residual.type)
    return Finish(input, weight, NumberFormat.of(op.output.type), residual, op.clamp)


def folded_bias(weight_sums: np.ndarray, bias: np.ndarray | None, zero_point: int) -> np.ndarray:
    """bias − zero point of the input · Σ weights, i64 [..., c]: (x − z) · w summed is x · w summed,
    minus that.
    """
    folded = -zero_point * weight_sums.astype(np.int64)
    return folded if bias is None else folded + bias.astype(np.int64)


def convolve(
    op: tpu.Conv2dOp,
    image: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    residual: np.ndarray | None,
) -> np.ndarray:
    """tpu.conv2d on image[S, N, C, H, W], weight[S or 1, O, C / groups, KH, KW], bias[S or 1, O],
    residual as the result.
    """
    input, kernel_format = NumberFormat.of(op.input.type), NumberFormat.of(op.weight.type)
    if len(weight) > 1:
        operands = (image, bias, residual)
        parts = []
        for sample in range(len(weight)):
            own = (
                None if x is None else x[sample : sample + 1] if len(x) > 1 else x for x in operands
            )
            one_image, one_bias, one_residual = own
            assert one_image is not None
            one_weight = weight[sample : sample + 1]
            parts.append(convolve(op, one_image, one_weight, one_bias, one_residual))
        return np.concatenate(parts)
    kernel = np.ascontiguousarray(weight[0].transpose(2, 3, 1, 0))
    acc = convolution.conv2d(
        channel_last(image),
        kernel,
        **op.sliding,
        groups=op.groups.value.data,
        pad_value=input.zero_point,
        accumulator=op.accumulator.data,
    )
    if input.is_quantized:
        bias = folded_bias(kernel.sum(axis=(0, 1, 2), dtype=np.int64)[None], bias, input.zero_point)
    rest = None if residual is None else channel_last(residual)
    return channel_first(_finish(op, input, kernel_format).apply(acc, bias, rest))


def multiply(
    op: tpu.MatmulOp,
    lhs: np.ndarray,
    rhs: np.ndarray,
    bias: np.ndarray | None,
    residual: np.ndarray | None,
) -> np.ndarray:
    """tpu.matmul on lhs[S or 1, ..., m, k], rhs[S or 1, ..., k, n] (vectors as NumPy has them),
    bias[S or 1, n].
    """
    left, right = NumberFormat.of(op.lhs.type), NumberFormat.of(op.rhs.type)
    a, b = as_matrices(lhs, rhs)
    samples = max(len(a), len(b))
    shape = (samples, *np.broadcast_shapes(a.shape[1:-2], b.shape[1:-2]), a.shape[-2], b.shape[-1])
    acc = products.matmul(*as_rows(a, b), op.accumulator.data).reshape(shape)
    if left.is_quantized:
        acc = _without_zero_points(acc, a, b, left.zero_point, right.zero_point)
    rest = None if residual is None else residual.reshape(len(residual), *shape[1:])
    result = _finish(op, left, right).apply(acc, bias, rest)
    return result.reshape(samples, *op.output.type.get_shape())


def _without_zero_points(
    acc: np.ndarray, a: np.ndarray, b: np.ndarray, zero_a: int, zero_b: int
) -> np.ndarray:
    """Σ (a − za)(b − zb) from Σ a·b, in the accumulator's type (wrapping as it does)."""
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
