"""`tpu-legalize-types`: computes products in a float type that the target's matrix unit lacks in f32, between casts.

Before (a target whose `matrix.macs_per_cycle` has f32 and no bf16):

    %w = tpu.weight "w" key = "w.bf16" : tensor<4x2xbf16>
    %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x4xbf16>, ...) -> tensor<1x2xbf16>

After:

    %x_f32 = tpu.cast "x_f32" %x : (tensor<1x4xbf16>) -> tensor<1x4xf32>
    %w_f32 = tpu.weight "w.bf16.f32" key = "w.bf16.f32" : tensor<4x2xf32>
    %y_product = tpu.matmul "y_product" %x_f32, %w_f32 accumulator = "f32" : ... -> tensor<1x2xf32>
    %y = tpu.cast "y" %y_product : (tensor<1x2xf32>) -> tensor<1x2xbf16>

Sums are f32 in every float type, and the result is rounded once on its way out, here by the cast: the numbers are those
of a unit that has the type. If the unit lacks f32 too, nothing changes, and the
pass that tiles the product reports that it cannot be computed. Depthwise convolutions are left alone: the vector unit
computes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.rewriter import Rewriter

from ...backends.targets.target import Target
from ...dialects import tpu
from ...dialects.ir.target_attribute import target_name_of, target_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.quant.element_type import (
    element_of,
    element_storage,
    is_float,
    shape_of,
    type_of_storage,
)
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of

_WIDE = "f32"
"""The type of float accumulators, which holds every number of the other float types exactly."""


@dataclass(frozen=True)
class WidenProduct(RewritePattern):
    """conv2d or matmul of a float type that the matrix unit lacks  ⇒  the product in f32, and a cast."""

    target: Target
    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tpu.ProductOp, rewriter: PatternRewriter, /) -> None:
        storage, rates = element_storage(op.operands[0].type), self.target.matrix.macs_per_cycle
        if storage in rates or _WIDE not in rates or not is_float(op.operands[0].type):
            return
        if not op.uses_matrix_unit:
            return
        wide, given = type_of_storage(_WIDE), element_of(op.output)
        product = op.clone()
        for index, operand in enumerate(op.operands):
            if is_float(operand.type) and element_of(operand) != wide:
                product.operands[index] = self._widened(operand, wide, rewriter)
        name = op.result_name.data
        product.properties["name"] = StringAttr(f"{name}_product")
        type = TensorType(wide, shape_of(op.output))
        Rewriter.replace_value_with_new_type(product.output, type)
        product.output.name_hint = value_name(f"{name}_product")
        rewriter.replace(op, [product, tpu.CastOp(name, product.output, element=given)])

    def _widened(self, value: SSAValue, wide: Attribute, rewriter: PatternRewriter) -> SSAValue:
        """Return an operand in f32: a constant is converted now, anything else by a cast."""
        owner = value.owner
        if isinstance(owner, tpu.WeightOp):
            own = owner.result_name.data if owner.key is None else owner.key.data
            name = f"{own}.{_WIDE}"
            array = value_of(owner, self.store).astype("f4")
            made = tpu.WeightOp(
                name, type=TensorType(wide, array.shape), key=self.store.add(name, array),
                location=owner.location,
            )  # fmt: skip
        else:
            own = owner.result_name.data if isinstance(owner, tpu.TpuOp) else value.name_hint
            name = f"{own or 'input'}_{_WIDE}"
            made = tpu.CastOp(name, value, element=wide)
        made.output.name_hint = value_name(name)
        rewriter.insert(made)
        return made.output


@dataclass(frozen=True)
class LegalizeTypes(SmaltiPass):
    """Compute products in f32 if the target's matrix unit lacks the float type that they are in."""

    name = "tpu-legalize-types"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(WidenProduct)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        if target_name_of(module) is not None:
            self.rewrite(module, [WidenProduct(target_of(module), store_of(ctx))])
