"""The normalizations of `top`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics import normalization
from ..ir.attribute import Real, real
from ..ir.field import operand, prop
from ..network import shape as shapes
from ..network.normalization import LocalResponseNormBase, NormalizeBase, SoftmaxBase
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import ComparesElements, IsBounded, IsNonNegative, ScalesOrShifts
from ..quant.element_type import element_of, is_float, shape_of
from .top_op import TopOp


@irdl_op_definition
class BatchNormOp(TopOp):
    """(input − mean) / sqrt(variance + epsilon) · scale + bias, per channel (axis 1).

    The parameters may be of another float type than the input, as in ONNX.

    %norm = top.batch_norm "bn" %depthwise, %b, %b, %b, %b epsilon = 1.000000e-05 :
        (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) ->
        tensor<1x8x4x4xf32>
    """

    name = "top.batch_norm"
    traits = traits_def(ScalesOrShifts())
    epsilon: Real = prop(converter=real)
    input: SSAValue = operand()
    scale: SSAValue = operand()
    bias: SSAValue = operand()
    mean: SSAValue = operand()
    variance: SSAValue = operand()

    def expected_shape(self) -> Shape:
        parameters = {name: shape_of(value) for name, value in self.named_operands()[1:]}
        return shapes.channel_shape(shape_of(self.input), **parameters)

    def verify_(self) -> None:
        super().verify_()
        if not self.epsilon.value.data >= 0:
            raise VerifyException(f"epsilon must not be negative, got {self.epsilon.value.data}")

    def _verify_elements(self) -> None:
        self.verify_same_floats([("input", self.input)])
        for name, value in self.named_operands()[1:]:
            if not is_float(value.type):
                raise VerifyException(f"{name} must have float elements, got {element_of(value)}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        x = operands[0].astype(np.float32, copy=False)
        shape = (-1, 1, x.shape[2], *(1,) * (x.ndim - 3))
        scale, bias, mean, variance = (
            value.astype(np.float32, copy=False).reshape(shape) for value in operands[1:]
        )
        # The factor is computed in f64 as when the op is folded into a convolution, so that a network
        # with and without folding differs only by rounding in f32.
        deviation = np.sqrt(variance.astype(np.float64) + self.epsilon.value.data)
        factor = (scale / deviation).astype(np.float32)
        return self.rounded((x - mean) * factor + bias)


@irdl_op_definition
class SoftmaxOp(SoftmaxBase, TopOp):
    """exp(x − max) / Σ exp(x − max) along `axis` (non-negative); with `log` its logarithm.

    %p = top.softmax "p" %fc axis = 1 :
        (tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "top.softmax"
    traits = traits_def(
        ComparesElements(),
        IsNonNegative(where=lambda op: op.log is None),
        IsBounded(where=lambda op: op.log is None),
    )


@irdl_op_definition
class NormalizeOp(NormalizeBase, TopOp):
    """The input divided by a statistic over `axes` (non-negative, ascending), times scale, plus
    bias, which broadcast to the input.

    `kind` mean_variance: (x − mean) / √(mean((x − mean)²) + ε); rms: x / √(mean(x²) + ε); l1:
    x / (Σ|x| + ε); l2: x / √(Σx² + ε). What would be divided by 0 is 0.

    %y = top.normalize "norm" %x, %w bias %b kind = "mean_variance" axes = [2]
        epsilon = 1.000000e-05 :
        (tensor<1x8x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x64xf32>
    """

    name = "top.normalize"
    traits = traits_def(ComparesElements(where=lambda op: op.kind.data in ("l1", "l2")))
    KINDS: ClassVar[Sequence[str]] = normalization.KINDS

    def verify_(self) -> None:
        super().verify_()
        self.verify_fields()


@irdl_op_definition
class LocalResponseNormOp(LocalResponseNormBase, TopOp):
    """x / (offset + alpha/size · Σ x²)^beta, the sum over the `size` channels (axis 1) around each:
    c − ⌊(size−1)/2⌋ to c + ⌈(size−1)/2⌉.

    %y = top.local_response_norm "norm" %x size = 5 alpha = 0.0001 beta = 0.75 offset = 1.0 :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.local_response_norm"

    def verify_(self) -> None:
        super().verify_()
        self.verify_fields()
