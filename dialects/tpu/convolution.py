"""The convolution of `tpu`."""

from __future__ import annotations

import numpy as np
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.sample_axis import channel_first, channel_last
from ...backends.numerics.windows import convolution
from ..network.convolution import Conv2dBase
from ..network.tensor_op import Arrays
from ..network.traits import ChannelLast
from ..quant.number_format import NumberFormat
from . import quantization_rules as rules
from .product import ProductOp


@irdl_op_definition
class Conv2dOp(Conv2dBase, ProductOp):
    """Convolution, then bias, residual and clamp. Shapes are those of top.conv2d; the residual has the result's shape.

    For quantized types the bias is i32 in units of sx·sw[o], and the weights are quantized along axis 0 with zero point
    0. `accumulator` is "i32" or "i64" for quantized types, "f32" for floats.

    %conv = tpu.conv2d "conv" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32"
        clamp_low = 0.0 :
        (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>,
        tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<2xi32>)
        -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>
    """

    name = "tpu.conv2d"
    traits = traits_def(ChannelLast())

    @property
    def uses_matrix_unit(self) -> bool:
        return not self.is_depthwise

    def verify_elements(self) -> None:
        rules.product(
            self.input, self.weight, self.bias, self.residual, self.output, self.accumulator.data,
            weight_axis=0, weight_zero_point=False,
        )  # fmt: skip

    def evaluate(self, operands: Arrays) -> np.ndarray:
        given = self.operands_by_name(operands)
        image = given["input"]
        weight = self.weights_of_inputs(image, given["weight"])
        if len(weight) > 1:  # each sample has its own weights
            samples = (
                [array[i : i + 1] if len(array) > 1 else array for array in operands]
                for i in range(len(weight))
            )
            return np.concatenate([self.evaluate(sample) for sample in samples])
        input = NumberFormat.of(self.input.type)
        kernel = np.ascontiguousarray(weight[0].transpose(2, 3, 1, 0))
        acc = convolution.conv2d(
            channel_last(image),
            kernel,
            **self.sliding,
            groups=self.groups.value.data,
            pad_value=input.zero_point,
            accumulator=self.accumulator.data,
        )
        bias, residual = given.get("bias"), given.get("residual")
        if not input.sums_floats:
            # (x - zero point) · w summed is x · w summed minus zero point · Σ w.
            sums = kernel.sum(axis=(0, 1, 2), dtype=np.int64)[None]
            folded = -input.zero_point * sums
            bias = folded if bias is None else folded + bias.astype(np.int64)
        residual = None if residual is None else channel_last(residual)
        return channel_first(self.finish(acc, bias, residual))
