"""The normalizations of `tpu`: in floats, on the vector unit."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition, traits_def

from ..network.normalization import LocalResponseNormBase, NormalizeBase, SoftmaxBase
from ..network.traits import ChannelLast, KeepsLayout, RoundsOnce, RowMajor
from . import quantization_rules as rules
from .tpu_op import TpuOp


def _along_last_axis(op: SoftmaxOp) -> bool:
    return op.axis.value.data == len(op.output.type.get_shape()) - 1


def _along_channels(op: SoftmaxOp) -> bool:
    return op.axis.value.data == 1 and len(op.output.type.get_shape()) > 3


def _over_last_axis(op: NormalizeOp) -> bool:
    return op.axes.get_values()[-1] == len(op.output.type.get_shape()) - 1


def _over_channels(op: NormalizeOp) -> bool:
    return op.axes.get_values() == (1,) and len(op.output.type.get_shape()) > 3


@irdl_op_definition
class SoftmaxOp(SoftmaxBase, TpuOp):
    """Softmax along `axis` (non-negative), with `log` its logarithm; float types only.

    %p = tpu.softmax "p" %logits axis = 1 log : (tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.softmax"
    traits = traits_def(
        RoundsOnce(), RowMajor(where=_along_last_axis), ChannelLast(where=_along_channels)
    )

    def verify_elements(self) -> None:
        rules.floats([("input", self.input), ("result", self.output)])


@irdl_op_definition
class NormalizeOp(NormalizeBase, TpuOp):
    """The normalization `kind` (see top.normalize) over `axes`, float types only; scale and bias are
    f32.

    %y = tpu.normalize "norm" %x, %w bias %b kind = "mean_variance" axes = [2]
        epsilon = 1.000000e-05 :
        (tensor<1x8x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x64xf32>
    """

    name = "tpu.normalize"
    traits = traits_def(
        RoundsOnce(),
        KeepsLayout(operand="input"),
        RowMajor(where=_over_last_axis),
        ChannelLast(where=_over_channels),
    )

    def verify_elements(self) -> None:
        self.verify_fields()
        rules.floats([("input", self.input), ("result", self.output)])
        for name, value in self.named_operands()[1:]:
            rules.stored_as(name, value, "f32")


@irdl_op_definition
class LocalResponseNormOp(LocalResponseNormBase, TpuOp):
    """x / (offset + alpha/size · Σ x²)^beta over the `size` channels around each (see
    top.local_response_norm), float types only.

    %y = tpu.local_response_norm "norm" %x size = 5 alpha = 0.5 beta = 0.75 offset = 1.0 :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "tpu.local_response_norm"
    traits = traits_def(RoundsOnce(), ChannelLast())

    def verify_elements(self) -> None:
        self.verify_fields()
        rules.floats([("input", self.input), ("result", self.output)])
