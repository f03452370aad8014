"""What the ops that move elements have in common in top and tpu: fields and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar
from math import prod

import numpy as np
from xdsl.ir import SSAValue
from xdsl.irdl import traits_def

from ...backends.numerics import movement
from ..ir.attribute import Integer, Ints, Real, integer, ints, real
from ..ir.field import argument, operand, operand_list, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import Arrays, TensorOp
from .traits import Moves, Rearranges


class ReshapeBase(TensorOp):
    """The same elements in row-major order under another shape, that of the result type."""

    traits = traits_def(Moves(), Rearranges())

    input: SSAValue = operand()
    shape: InitVar[Sequence[int]] = argument()

    def expected_shape(self) -> Shape:
        return shapes.reshape_shape(shape_of(self.input), self.output.type.get_shape())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.reshape(len(x), *self.output.type.get_shape())

    def unchanged_operand(self) -> SSAValue | None:
        return self.input


class TransposeBase(TensorOp):
    """Axis i of the result is axis permutation[i] of the input."""

    traits = traits_def(Moves(), Rearranges(permutation=lambda op: op.permutation.get_values()))

    permutation: Ints = prop(converter=ints)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.transpose_shape(shape_of(self.input), self.permutation.get_values())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.transpose(0, *(axis + 1 for axis in self.permutation.get_values()))

    def unchanged_operand(self) -> SSAValue | None:
        permutation = self.permutation.get_values()
        return self.input if permutation == tuple(range(len(permutation))) else None


class ConcatBase(TensorOp):
    """The inputs one after the other along `axis` (non-negative); their other axes agree."""

    traits = traits_def(Moves())

    axis: Integer = prop(converter=integer)
    inputs: Sequence[SSAValue] = operand_list()

    def expected_shape(self) -> Shape:
        return shapes.concat_shape([shape_of(each) for each in self.inputs], self.axis.value.data)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return movement.concat(operands, self.axis.value.data - (operands[0].ndim - 1))

    def unchanged_operand(self) -> SSAValue | None:
        return self.inputs[0] if len(self.inputs) == 1 else None


class SliceBase(TensorOp):
    """Along axis d the elements starts[d] + i·steps[d] of the input, 0 <= i < sizes[d]."""

    traits = traits_def(Moves())

    starts: Ints = prop(converter=ints)
    sizes: Ints = prop(converter=ints)
    steps: Ints = prop(converter=ints)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        starts, steps = self.starts.get_values(), self.steps.get_values()
        return shapes.slice_shape(shape_of(self.input), starts, self.sizes.get_values(), steps)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        bounds = (each.get_values() for each in (self.starts, self.sizes, self.steps))
        return movement.slice_of(operands[0], *bounds)

    def unchanged_operand(self) -> SSAValue | None:
        shape = shape_of(self.input)
        # An axis of one element has no direction.
        forward = all(
            step == 1 or size == 1
            for step, size in zip(self.steps.get_values(), shape, strict=True)
        )
        takes_all = forward and shape_of(self.output) == shape and bool(prod(shape))
        return self.input if takes_all else None


class PadBase(TensorOp):
    """The input with low[d] elements of `value` before and high[d] after it along axis d."""

    traits = traits_def(Moves())

    low: Ints = prop(converter=ints)
    high: Ints = prop(converter=ints)
    value: Real = prop(converter=real, default=0.0)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.pad_shape(shape_of(self.input), self.low.get_values(), self.high.get_values())

    def unchanged_operand(self) -> SSAValue | None:
        pads = any((*self.low.get_values(), *self.high.get_values()))
        return None if pads else self.input
