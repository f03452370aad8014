"""What the convolutions of top and tpu have in common: fields, shape, costs."""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from ..ir.attribute import Integer, Ints, integer, ints
from ..ir.field import operand, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp
from .window import Sliding, sliding


class Conv2dBase(TensorOp):
    """A 2-D convolution: input [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]; pads
    [top,left,bottom,right].
    """

    strides: Ints = prop(converter=ints, default=(1, 1))
    pads: Ints = prop(converter=ints, default=(0, 0, 0, 0))
    dilations: Ints = prop(converter=ints, default=(1, 1))
    groups: Integer = prop(converter=integer, default=1)
    input: SSAValue = operand()
    weight: SSAValue = operand()
    bias: SSAValue | None = operand(default=None)

    def expected_shape(self) -> Shape:
        return shapes.conv2d_shape(
            shape_of(self.input),
            shape_of(self.weight),
            None if self.bias is None else shape_of(self.bias),
            strides=self.strides.get_values(),
            pads=self.pads.get_values(),
            dilations=self.dilations.get_values(),
            groups=self.groups.value.data,
        )

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel reads one input channel of several."""
        return shape_of(self.weight)[1] == 1 and self.groups.value.data > 1

    @property
    def sliding(self) -> Sliding:
        """How the kernel slides, as `conv2d` of the numerics takes it."""
        return sliding(self.strides, self.dilations, self.pads)

    @property
    def macs(self) -> int:
        return prod(self.output.type.get_shape()) * prod(shape_of(self.weight)[1:])
