"""The convolution of `top`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics import epilogue
from ...backends.numerics.sample_axis import channel_first, channel_last, per_sample
from ...backends.numerics.windows import convolution
from ..network.convolution import Conv2dBase
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, RoundsResult, SumsProducts, WeighsChannels
from ..network.window import pair
from ..quant.element_type import element_storage, shape_of
from .constant import WeightOp
from .top_op import TopOp

_DEPTHWISE = (
    '%y = top.conv2d "y" %x, %w, %b groups = 8 : (tensor<1x8x8x8xf32>, tensor<8x1x3x3xf32>, '
    "tensor<8xf32>) -> tensor<1x8x6x6xf32>"
)


def _has_constant_weights(op: Conv2dOp) -> bool:
    """Tell whether weights and bias are constants, and each group of weights reads all channels."""
    constants = [op.weight, *([] if op.bias is None else [op.bias])]
    return op.groups.value.data == 1 and all(isinstance(each.owner, WeightOp) for each in constants)


def _is_weighted_sum(op: Conv2dOp) -> bool:
    """Tell whether the result is a sum of each pixel's channels with weights, which costs as little as a reduction."""
    outputs, _, *kernel = shape_of(op.weight)
    return outputs == 1 and kernel == [1, 1]


@irdl_op_definition
class Conv2dOp(Conv2dBase, TopOp):
    """2-D convolution; input [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]; pads
    [top,left,bottom,right].

    output[n,o,y,x] = bias[o] + Σ input[n,c,y·s+i·d−pad,x·s+j·d−pad] · weight[o,c,i,j], c over the
    channels of o's group.

    %y = top.conv2d "conv1" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] :
        (tensor<1x1x8x8xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.conv2d"
    traits = traits_def(
        RoundsResult(),
        CanStayFloat(where=_is_weighted_sum, only_before_poles=_is_weighted_sum),
        SumsProducts(),
        WeighsChannels(where=_has_constant_weights, axes=lambda op: (1, 1)),
    )

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        return {"": example, "depthwise": _DEPTHWISE}

    def evaluate(self, operands: Arrays) -> np.ndarray:
        image = channel_last(operands[0])

        def convolve(weight: np.ndarray, image: np.ndarray) -> np.ndarray:
            return convolution.conv2d(
                image,
                np.ascontiguousarray(weight.transpose(2, 3, 1, 0)),
                **self.sliding,
                groups=self.groups.value.data,
                accumulator="f32",
            )

        acc = per_sample(convolve, operands[1], image)
        storage = element_storage(self.output.type)
        if self.bias is None:
            return channel_first(epilogue.epilogue_float(acc, None, storage))
        bias = operands[2].astype(np.float32)
        if len(bias) > 1:
            return channel_first(self.rounded(acc + bias[:, None, None, None, :]))
        return channel_first(epilogue.epilogue_float(acc, bias[0], storage))

    def factors(self, input: np.ndarray) -> np.ndarray:
        """Return what the weights are multiplied by, of an input [S, N, C, H, W]: [groups, rows, depth], a row for each
        pixel of the result.
        """
        images = channel_last(input)
        images = images.reshape(-1, *images.shape[2:])
        _, _, *kernel = shape_of(self.weight)
        windows = convolution.window_rows(images, pair(kernel), **self.sliding)
        rows, high, wide, channels = windows.shape
        groups = self.groups.value.data
        split = windows.reshape(rows, high * wide, groups, channels // groups)
        return split.transpose(2, 0, 1, 3).reshape(groups, rows, -1)

    def weight_matrices(self, weight: np.ndarray) -> np.ndarray:
        """Return weights of the op's shape as [groups, depth, outputs of a group]."""
        groups = self.groups.value.data
        outputs, channels, high, wide = weight.shape
        split = weight.reshape(groups, outputs // groups, channels, high, wide)
        return split.transpose(0, 3, 4, 2, 1).reshape(groups, -1, outputs // groups)

    def weight_of_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Return the weights of which `weight_matrices` makes `matrices`."""
        outputs, channels, high, wide = shape_of(self.weight)
        groups = self.groups.value.data
        split = matrices.reshape(groups, high, wide, channels, outputs // groups)
        return split.transpose(0, 4, 3, 1, 2).reshape(outputs, channels, high, wide)

    def sums(self, result: np.ndarray) -> np.ndarray:
        """Return a result [S, N, O, H, W] as [groups, rows, outputs of a group], with the rows of `factors`."""
        groups, outputs = self.groups.value.data, result.shape[2]
        rows = channel_last(result).reshape(-1, groups, outputs // groups)
        return rows.transpose(1, 0, 2)
