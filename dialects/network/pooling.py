"""What the pools of top and tpu have in common: fields, window, shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.dialects.builtin import TensorType, UnitAttr
from xdsl.ir import Attribute
from xdsl.irdl import operand_def, opt_prop_def, prop_def

from ..ir.attribute import INTS, flag, ints
from ..ir.text.assembly import Defaults
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp
from .window import SLIDING_DEFAULTS, Pair, Sliding, pair, sliding


class PoolWindow(Sliding):
    """A pool's window; the size of the output settles whether the last one may reach past the
    padding."""

    kernel: Pair
    output: Pair


class PoolBase(TensorOp):
    """2-D pooling of input [N,C,H,W]; pads [top,left,bottom,right]."""

    kernel = prop_def(INTS)
    strides = prop_def(INTS)
    pads = prop_def(INTS)
    dilations = prop_def(INTS)
    ceil_mode = opt_prop_def(UnitAttr)
    input = operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = SLIDING_DEFAULTS

    @classmethod
    def pool_properties(
        cls,
        kernel: Sequence[int],
        strides: Sequence[int],
        pads: Sequence[int],
        dilations: Sequence[int],
        ceil_mode: bool,
    ) -> dict[str, Attribute | None]:
        """The properties that every pooling has."""
        return {
            "kernel": ints(kernel),
            "strides": ints(strides),
            "pads": ints(pads),
            "dilations": ints(dilations),
            "ceil_mode": flag(ceil_mode),
        }

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
