"""The tile ops of convolutions."""

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import UnitAttr
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Integer, Ints, flag, integer, ints
from ..ir.field import prop
from ..quant.element_type import shape_of
from .checks import (
    check_pitch,
    check_rank,
    check_storage_value,
    fail_unless,
    list_of_at_least,
    pitch_of,
    storage_of,
)
from .core_op import Fields, Translation
from .instruction_fields import named, window_fields
from .product_op import ProductOp, check_packed_weights


class ConvOp(ProductOp):
    """Base of the tile ops of convolutions: x [n,h,w,pitch], acc [n,oh,ow,pitch]; `channels` are (in, out), `pads`
    (top, left).
    """

    channels: Ints = prop(converter=ints)
    kernel: Ints = prop(converter=ints)
    strides: Ints = prop(converter=ints, default=(1, 1))
    dilations: Ints = prop(converter=ints, default=(1, 1))
    pads: Ints = prop(converter=ints, default=(0, 0))
    pad_value: Integer = prop(converter=integer, default=0)
    groups: Integer = prop(converter=integer, default=1)
    accumulate: UnitAttr | None = prop(converter=flag, default=False)

    def verify_fields(self) -> None:
        self.verify_product()
        batch = check_rank("x", self.x, 4)[0]
        out_batch = check_rank("acc", self.acc, 4)[0]
        if batch != out_batch:
            raise VerifyException(f"x has {batch} images, acc has {out_batch}")
        inputs, outputs = list_of_at_least("channels", self.channels, 2, 1)
        check_pitch("input channels", inputs, "x", self.x)
        check_pitch("output channels", outputs, "acc", self.acc)
        kernel = list_of_at_least("kernel", self.kernel, 2, 1)
        list_of_at_least("strides", self.strides, 2, 1)
        list_of_at_least("dilations", self.dilations, 2, 1)
        list_of_at_least("pads", self.pads, 2, 0)
        check_storage_value("pad value", self.pad_value.value.data, storage_of(self.x))
        self.verify_weights(prod(kernel), inputs, outputs)

    def verify_weights(self, taps: int, inputs: int, outputs: int) -> None:
        """Raise VerifyException if the groups or the shape of w do not suit these channels and a kernel of `taps`
        elements.
        """
        raise NotImplementedError

    def convolution_fields(self) -> Fields:
        """Return the fields that the instructions of all convolutions have."""
        batch, in_height, in_width, _ = shape_of(self.x)
        _, out_height, out_width, out_pitch = shape_of(self.acc)
        return {
            **self.product_fields(),
            "batch": batch,
            "in_height": in_height,
            "in_width": in_width,
            "in_pitch": pitch_of(self.x),
            "out_height": out_height,
            "out_width": out_width,
            "out_pitch": out_pitch,
            **named(("in_channels", "out_channels"), self.channels),
            **window_fields(self.kernel, self.strides, self.dilations),
            **named(("pad_top", "pad_left"), self.pads),
            "pad_value": self.pad_value.value.data,
            "groups": self.groups.value.data,
        }


@irdl_op_definition
class Conv2dOp(ConvOp):
    """A tile of a convolution on the matrix unit; w [blocks, kh·kw·c/groups, block] (its middle axes may be split).

    acc[n,y,x,o] = Σ_{i,j,c} x[n, y·sh + i·dh − top, x·sw + j·dw − left, c] · w[i,j,c,o], c over the channels of o's
    group; outside the image x is `pad_value`. With `accumulate` the sum is added to acc.

    tile.conv2d core 0 %lx, %lw -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1]
        pad_value = -3 :
        memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
    """

    name = "tile.conv2d"

    def verify_weights(self, taps: int, inputs: int, outputs: int) -> None:
        groups = self.groups.value.data
        if groups < 1 or inputs % groups or outputs % groups:
            raise VerifyException(
                f"{groups} groups do not divide {inputs} input and {outputs} output channels"
            )
        rows = taps * self.stored_rows(inputs // groups)
        check_packed_weights(self.weight_shape, rows, outputs)

    def instruction(self) -> Translation:
        return "conv2d", self.convolution_fields(), self.product_operands()


@irdl_op_definition
class DepthwiseConv2dOp(ConvOp):
    """A tile of a depthwise convolution on the vector unit; w [kh·kw, pitch]; output channel o
    reads input channel o·in/out.

    acc[n,y,x,o] = Σ_{i,j} x[n, y·sh + i·dh − top, x·sw + j·dw − left, o·in/out] · w[i,j,o]; outside
    the image x is `pad_value`. With `accumulate` the sum is added to acc.

    tile.depthwise_conv2d core 0 %lx, %dw -> %acc64 channels = [4, 4] kernel = [3, 3]
        dilations = [2, 1] pads = [1, 1] groups = 4 accumulate :
        memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi64, "acc">
    """

    name = "tile.depthwise_conv2d"

    def verify_weights(self, taps: int, inputs: int, outputs: int) -> None:
        groups = self.groups.value.data
        fail_unless(
            groups in (1, inputs), f"groups must be 1 or the input channels {inputs}, got {groups}"
        )
        fail_unless(
            outputs % inputs == 0,
            f"{inputs} input channels do not divide {outputs} output channels",
        )
        fail_unless(self.group is None, "depthwise weights have no groups of input channels")
        shape = self.weight_shape
        fail_unless(
            len(shape) >= 2 and prod(shape[:-1]) == taps and shape[-1] >= outputs,
            f"w must have shape [{taps}, {outputs} or more], has {list(shape)}",
        )

    def instruction(self) -> Translation:
        return "depthwise_conv2d", self.convolution_fields(), self.product_operands()
