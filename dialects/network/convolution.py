"""What the convolutions of top and tpu have in common: fields, shape, costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import operand_def, opt_operand_def, prop_def

from ..ir.attribute import INTEGER, INTS, integer, ints
from ..ir.text.assembly import Defaults
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp
from .window import SLIDING_DEFAULTS, Sliding, sliding


class Conv2dBase(TensorOp):
    """A 2-D convolution: input [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]; pads
    [top,left,bottom,right].
    """

    strides = prop_def(INTS)
    pads = prop_def(INTS)
    dilations = prop_def(INTS)
    groups = prop_def(INTEGER)
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = {**SLIDING_DEFAULTS, "groups": integer(1)}

    @classmethod
    def conv2d_properties(
        cls, strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int], groups: int
    ) -> dict[str, Attribute | None]:
        """The properties that every convolution has."""
        return {
            "strides": ints(strides),
            "pads": ints(pads),
            "dilations": ints(dilations),
            "groups": integer(groups),
        }

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
