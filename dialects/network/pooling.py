"""What the pools of top and tpu have in common: fields, window, shape."""

from __future__ import annotations

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import SSAValue

from ..ir.attribute import Ints, flag, ints
from ..ir.field import operand, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp
from .window import Pair, Sliding, pair, sliding


class PoolWindow(Sliding):
    """A pool's window. The size of the output settles whether the last window may extend beyond the padding."""

    kernel: Pair
    output: Pair


class PoolBase(TensorOp):
    """2-D pooling of input [N,C,H,W]; pads [top,left,bottom,right]."""

    kernel: Ints = prop(converter=ints)
    strides: Ints = prop(converter=ints, default=(1, 1))
    pads: Ints = prop(converter=ints, default=(0, 0, 0, 0))
    dilations: Ints = prop(converter=ints, default=(1, 1))
    ceil_mode: UnitAttr | None = prop(converter=flag, default=False)
    input: SSAValue = operand()

    @property
    def window(self) -> PoolWindow:
        """The window, as `max_pool2d` and the average pools of the numerics take it."""
        return {
            **sliding(self.strides, self.dilations, self.pads),
            "kernel": pair(self.kernel.get_values()),
            "output": pair(self.output.type.get_shape()[2:]),
        }

    def expected_shape(self) -> Shape:
        return shapes.pool_shape(
            shape_of(self.input),
            kernel=self.kernel.get_values(),
            strides=self.strides.get_values(),
            pads=self.pads.get_values(),
            dilations=self.dilations.get_values(),
            ceil_mode=self.ceil_mode is not None,
        )
