"""What the ops that move elements have in common in top and tpu: fields and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar

import numpy as np
from xdsl.ir import SSAValue

from ...backends.numerics import movement
from ..ir.attribute import Integer, Ints, Real, integer, ints, real
from ..ir.field import argument, operand, operand_list, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import Arrays, TensorOp


class ReshapeBase(TensorOp):
    """The same elements in row-major order under another shape, that of the result type."""

    input: SSAValue = operand()
    shape: InitVar[Sequence[int]] = argument()

    def expected_shape(self) -> Shape:
        return shapes.reshape_shape(shape_of(self.input), self.output.type.get_shape())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.reshape(len(x), *self.output.type.get_shape())


class TransposeBase(TensorOp):
    """Axis i of the result is axis permutation[i] of the input."""

    permutation: Ints = prop(converter=ints)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.transpose_shape(shape_of(self.input), self.permutation.get_values())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.transpose(0, *(axis + 1 for axis in self.permutation.get_values()))


class ConcatBase(TensorOp):
    """The inputs one after the other along `axis` (non-negative); their other axes agree."""

    axis: Integer = prop(converter=integer)
    inputs: Sequence[SSAValue] = operand_list()

    def expected_shape(self) -> Shape:
        return shapes.concat_shape([shape_of(each) for each in self.inputs], self.axis.value.data)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return movement.concat(operands, self.axis.value.data - (operands[0].ndim - 1))


class SliceBase(TensorOp):
    """Along axis d the elements starts[d] + i·steps[d] of the input, 0 <= i < sizes[d]."""

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


class PadBase(TensorOp):
    """The input with low[d] elements of `value` before and high[d] after it along axis d."""

    low: Ints = prop(converter=ints)
    high: Ints = prop(converter=ints)
    value: Real = prop(converter=real, default=0.0)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.pad_shape(shape_of(self.input), self.low.get_values(), self.high.get_values())
