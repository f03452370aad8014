"""What the ops that move elements have in common in top and tpu: fields and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import LocationAttr, TensorType
from xdsl.ir import SSAValue
from xdsl.irdl import operand_def, prop_def, var_operand_def

from ...backends.numerics import movement
from ..ir.attribute import INTEGER, INTS, REAL, integer, ints, real
from ..ir.text.assembly import Defaults
from ..quant.element_type import element_of, expressed, shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import Arrays, TensorOp


class ReshapeBase(TensorOp):
    """The same elements in row-major order under another shape, that of the result type."""

    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        shape: Sequence[int],
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """A reshape to `shape` (no −1); DiagnosticError where the number of elements differs."""
        type = TensorType(expressed(element_of(input)), list(shape))
        return cls.build_named(name, [input], {}, location, type)

    def expected_shape(self) -> Shape:
        return shapes.reshape_shape(shape_of(self.input), self.output.type.get_shape())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.reshape(len(x), *self.output.type.get_shape())


class TransposeBase(TensorOp):
    """Axis i of the result is axis permutation[i] of the input."""

    permutation = prop_def(INTS)
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        permutation: Sequence[int],
        location: LocationAttr | None = None,
    ) -> Self:
        """A transpose with the result type that follows; DiagnosticError for what is no
        permutation.
        """
        return cls.build_named(name, [input], {"permutation": ints(permutation)}, location)

    def expected_shape(self) -> Shape:
        return shapes.transpose_shape(shape_of(self.input), self.permutation.get_values())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return x.transpose(0, *(axis + 1 for axis in self.permutation.get_values()))


class ConcatBase(TensorOp):
    """The inputs one after the other along `axis` (non-negative); their other axes agree."""

    axis = prop_def(INTEGER)
    inputs = var_operand_def(TensorType)

    @classmethod
    def make(
        cls, name: str, *inputs: SSAValue, axis: int, location: LocationAttr | None = None
    ) -> Self:
        """A concatenation of at least one input; DiagnosticError where shapes do not fit."""
        operands: Any = [inputs]
        return cls.build_named(name, operands, {"axis": integer(axis)}, location)

    def expected_shape(self) -> Shape:
        return shapes.concat_shape([shape_of(each) for each in self.inputs], self.axis.value.data)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return movement.concat(operands, self.axis.value.data - (operands[0].ndim - 1))


class SliceBase(TensorOp):
    """Along axis d the elements starts[d] + i·steps[d] of the input, 0 <= i < sizes[d]."""

    starts = prop_def(INTS)
    sizes = prop_def(INTS)
    steps = prop_def(INTS)
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        starts: Sequence[int],
        sizes: Sequence[int],
        steps: Sequence[int] | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A slice, with steps of 1 if None; DiagnosticError where it reaches beside the input."""
        steps = (1,) * len(sizes) if steps is None else steps
        properties = {"starts": ints(starts), "sizes": ints(sizes), "steps": ints(steps)}
        return cls.build_named(name, [input], properties, location)

    def expected_shape(self) -> Shape:
        starts, steps = self.starts.get_values(), self.steps.get_values()
        return shapes.slice_shape(shape_of(self.input), starts, self.sizes.get_values(), steps)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        bounds = (each.get_values() for each in (self.starts, self.sizes, self.steps))
        return movement.slice_of(operands[0], *bounds)


class PadBase(TensorOp):
    """The input with low[d] elements of `value` before and high[d] after it along axis d."""

    low = prop_def(INTS)
    high = prop_def(INTS)
    value = prop_def(REAL)
    input = operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = {"value": real(0.0)}

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        low: Sequence[int],
        high: Sequence[int],
        value: float = 0.0,
        location: LocationAttr | None = None,
    ) -> Self:
        """A padding; DiagnosticError for negative pads."""
        properties = {"low": ints(low), "high": ints(high), "value": real(value)}
        return cls.build_named(name, [input], properties, location)

    def expected_shape(self) -> Shape:
        return shapes.pad_shape(shape_of(self.input), self.low.get_values(), self.high.get_values())
