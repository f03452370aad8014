"""The normalizations of `top`."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from ..network.normalization import LocalResponseNormBase, NormalizeBase
from ..network.tensor_op import SoftmaxBase
from .top_op import TopOp


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


@irdl_op_definition
class SoftmaxOp(SoftmaxBase, TopOp):
    """exp(x − max) / Σ exp(x − max) along `axis` (non-negative); with `log` its logarithm.

    %p = top.softmax "p" %fc axis = 1 :
        (tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "top.softmax"
