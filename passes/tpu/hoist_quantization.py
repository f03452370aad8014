"""`tpu-hoist-quantization`: quantizes what is pooled or rearranged before that instead of after it.

Before:

    %p = tpu.max_pool "p" %x kernel = [3, 3] : (tensor<1x8x9x9xf32>) -> tensor<1x8x7x7xf32>
    %q = tpu.cast "q" %p : (tensor<1x8x7x7xf32>) -> tensor<1x8x7x7x!quant.uniform<…>>

After:

    %x_i8 = tpu.cast "p.input" %x : (tensor<1x8x9x9xf32>) -> tensor<1x8x9x9x!quant.uniform<…>>
    %p = tpu.max_pool "p" %x_i8 kernel = [3, 3] : (tensor<1x8x9x9x!quant.uniform<…>>) -> …

The greatest of some numbers, quantized, is the greatest of the quantized numbers, to the bit: more elements are
quantized, but a quarter of the bytes is moved and compared. The pool keeps its name, by which its result is compared
with that of the ONNX model. Other ops of which this holds have the trait `KeepsOrder`. It holds of ops, too, that only
bring all elements of one operand into another order, which have the trait `Rearranges`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...dialects import tpu
from ...dialects.ir.text.value_name import value_name
from ...dialects.network.rewriting import erase_if_unused, take_type, with_operands
from ...dialects.network.traits import KeepsOrder, Rearranges
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of, is_float, is_quantized
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass


class HoistQuantization(RewritePattern):
    """Quantization of the result of an op that keeps the order of numbers, or rearranges them, which nobody else reads
    ⇒  the op on the quantized operand.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tpu.CastOp, rewriter: PatternRewriter, /) -> None:
        producer = op.input.owner
        if not isinstance(producer, tpu.TpuOp) or not _commutes(producer, op.output):
            return
        quantizes = is_float(element_of(op.input)) and is_quantized(op.output.type)
        if not quantizes or not op.input.has_one_use():
            return
        name, (operand,) = producer.result_name.data, producer.operands
        cast = tpu.CastOp(f"{name}.input", operand, element=element_of(op.output))
        (field, _), *_ = producer.get_irdl_definition().operands
        made = with_operands(producer, name, {field: cast.output})
        take_type(made, op.output)
        rewriter.replace(op, [cast, made], [made.output])
        for each in (cast, made):
            each.output.name_hint = value_name(each.result_name.data)
        erase_if_unused(rewriter, producer)


def _commutes(op: tpu.TpuOp, quantized: SSAValue) -> bool:
    """Tell whether `op` gives of quantized numbers its result, `quantized`; an axis of scales would be another one."""
    if Rearranges.holds(op):
        element = element_of(quantized)
        return isinstance(element, UniformQuantizedType) and element.is_per_tensor
    return KeepsOrder.holds(op)


@dataclass(frozen=True)
class HoistQuantizationPass(SmaltiPass):
    """Quantize what is pooled or rearranged before that, so that fewer bytes are moved."""

    name = "tpu-hoist-quantization"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(HoistQuantization)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [HoistQuantization()])
