"""The ops of `tpu` that take tensors apart and put them together."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def
from xdsl.utils.exceptions import VerifyException

from . import quantized_rules as rules
from .movement import ConcatBase, PadBase, SliceBase
from .tpu_op import TpuOp


class MovingOp(TpuOp):
    """Base of the ops that move elements without looking at them; types quantized along an axis are
    not moved.
    """

    input = operand_def(TensorType)

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.per_tensor("input", self.input)


@irdl_op_definition
class ConcatOp(ConcatBase, TpuOp):
    """The inputs one after the other along `axis` (non-negative); all of one element type."""

    name = "tpu.concat"

    def verify_elements(self) -> None:
        for name, value in self.named_operands():
            rules.same_element(name, value, "result", self.output)
            rules.per_tensor(name, value)


@irdl_op_definition
class SliceOp(SliceBase, MovingOp):
    """Along axis d the elements starts[d] + i·steps[d], 0 <= i < sizes[d]; steps are positive."""

    name = "tpu.slice"

    def verify_(self) -> None:
        super().verify_()
        steps = self.steps.get_values()
        if min(steps, default=1) < 1:
            raise VerifyException(f"steps must be positive, got {list(steps)}")


@irdl_op_definition
class PadOp(PadBase, MovingOp):
    """The input with low[d] elements of the real `value` before and high[d] after it along axis d.

    Quantized: `value` lies in the range of the element type, and is rounded to its scale.
    """

    name = "tpu.pad"

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.representable("value", self.value.value.data, self.output)
