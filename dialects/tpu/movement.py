"""The ops of `tpu` that move elements: they take tensors apart, join them, and reorder them."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.movement import INDEX_TYPES
from ...backends.numerics import movement
from ...backends.numerics.functions.families.gathering import positions
from ..ir.attribute import Integer, integer
from ..ir.field import operand, prop
from ..network import shape as shapes
from ..network.movement import ConcatBase, PadBase, ReshapeBase, SliceBase, TransposeBase
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import Dense, KeepsLayout
from ..quant.element_type import element_of, is_quantized, shape_of
from ..quant.number_format import NumberFormat
from . import quantization_rules as rules
from .tpu_op import TpuOp


class MovingOp(TpuOp):
    """Base of the ops that move elements without looking at them; they do not take types that are quantized along an
    axis.
    """

    input: SSAValue = operand()

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.per_tensor("input", self.input)


@irdl_op_definition
class ReshapeOp(ReshapeBase, MovingOp):
    """The same elements in row-major order under another shape.

    %flat = tpu.reshape "flat" %swapped :
        (tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.reshape"


@irdl_op_definition
class TransposeOp(TransposeBase, MovingOp):
    """Axis i of the result is axis permutation[i] of the input.

    %swapped = tpu.transpose "swapped" %mean permutation = [1, 0] :
        (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<2x1x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.transpose"


@irdl_op_definition
class ConcatOp(ConcatBase, TpuOp):
    """The inputs one after the other along `axis` (non-negative); all have one element type.

    %c = tpu.concat "c" %a, %a axis = 1 :
        (tensor<1x2x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<1x2x4x!quant.uniform<i8:f32,
        5.000000e-01:-3>>) -> tensor<1x4x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
    """

    name = "tpu.concat"
    traits = traits_def(KeepsLayout())

    def verify_elements(self) -> None:
        for name, value in self.named_operands():
            rules.same_element(name, value, "result", self.output)
            rules.per_tensor(name, value)


@irdl_op_definition
class SliceOp(SliceBase, MovingOp):
    """Along axis d the elements starts[d] + i·steps[d], 0 <= i < sizes[d]; steps are positive.

    %s = tpu.slice "s" %c starts = [0, 0, 1] sizes = [1, 2, 2] steps = [1, 3, 2] :
        (tensor<1x4x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x2x2x!quant.uniform<i8:f32,
        5.000000e-01:-3>>
    """

    name = "tpu.slice"
    traits = traits_def(KeepsLayout())

    def verify_(self) -> None:
        super().verify_()
        steps = self.steps.get_values()
        if min(steps, default=1) < 1:
            raise VerifyException(f"steps must be positive, got {list(steps)}")


@irdl_op_definition
class PadOp(PadBase, MovingOp):
    """The input with low[d] elements of the real `value` before and high[d] after it along axis d.

    For quantized types `value` must lie in the range of the element type, and is rounded to its scale.

    %p = tpu.pad "p" %s low = [0, 0, 1] high = [0, 0, 2] value = 2.0 :
        (tensor<1x2x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x2x5x!quant.uniform<i8:f32,
        5.000000e-01:-3>>
    """

    name = "tpu.pad"
    traits = traits_def(KeepsLayout())

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.representable("value", self.value.value.data, self.output)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        result, value = NumberFormat.of(self.output.type), self.value.value.data
        if result.is_quantized:
            value = movement.stored_number(value, result.scale, result.zero_point, result.storage)
        return movement.pad(operands[0], self.low.get_values(), self.high.get_values(), value)


@irdl_op_definition
class GatherOp(TpuOp):
    """The slices of the input along `axis` that `indices` name, computed at run time, as an embedding takes them.

    result[0, …, i…, …] = input[0, …, indices[i…], …]; the axes before `axis` have one element. Indices are i32 or i64,
    negative ones count from the end, and one that names nothing is an error when the network runs.

    %words = tpu.gather "words" %table, %ids axis = 0 :
        (tensor<50x8xf32>, tensor<1x4xi64>) -> tensor<1x4x8xf32>
    """

    name = "tpu.gather"
    traits = traits_def(Dense())
    axis: Integer = prop(converter=integer)
    input: SSAValue = operand()
    indices: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.rows_shape(shape_of(self.input), self.axis.value.data, shape_of(self.indices))

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.per_tensor("input", self.input)
        element = element_of(self.indices)
        if is_quantized(element) or rules.element_storage_or_none(element) not in INDEX_TYPES:
            raise VerifyException(
                f"indices must have elements of {' or '.join(INDEX_TYPES)}, got {element}"
            )

    def evaluate(self, operands: Arrays) -> np.ndarray:
        x, indices = operands
        axis = self.axis.value.data
        places = positions(indices, x.shape[1 + axis], f"axis {axis}")
        samples = max(len(x), len(places))
        return np.stack(
            [np.take(x[s % len(x)], places[s % len(places)], axis) for s in range(samples)]
        )
