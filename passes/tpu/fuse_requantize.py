"""`tpu-fuse-requantize`: lets a product give its result in the quantization that its only reader asks for.

Before:

    %c = tpu.conv2d "c" %x, %w accumulator = "i32" : (…) -> tensor<1x8x8x8x!quant.uniform<i8:f32, 0.1>>
    %n = tpu.requantize "n" %c … : (…) -> tensor<1x8x8x8x!quant.uniform<i8<-8:7>:f32, 1.6>>

After:

    %c = tpu.conv2d "c" %x, %w accumulator = "i32" : (…) -> tensor<1x8x8x8x!quant.uniform<i8<-8:7>:f32, 1.6>>

Sums are rounded once, to the coarser of the two: numbers change by at most a step of it. Only what becomes narrower is
fused: there the product gives no number that the requantization would have kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import VerifyException

from ...dialects import tpu
from ...dialects.network.rewriting import clone_with, erase_if_unused
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass

_ROUNDED_ONCE = 0.25


class FuseRequantize(RewritePattern):
    """A product without residual, and a requantization to fewer bits, its only user  ⇒  the product in these bits."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tpu.RequantizeOp, rewriter: PatternRewriter, /) -> None:
        product = op.input.owner
        if not isinstance(product, tpu.ProductOp) or not product.output.has_one_use():
            return
        if product.residual is not None or op.clamp != (None, None):
            return
        wide, narrow = element_of(op.input), element_of(op.output)
        assert isinstance(wide, UniformQuantizedType) and isinstance(narrow, UniformQuantizedType)
        if wide.storage != narrow.storage or _values(narrow) >= _values(wide):
            return
        made = clone_with(product, {})
        made.results[0].name_hint = product.output.name_hint
        Rewriter.replace_value_with_new_type(made.results[0], op.output.type)
        try:
            made.verify()
        except VerifyException:
            return
        rewriter.replace(op, made)
        erase_if_unused(rewriter, product)


def _values(element: UniformQuantizedType) -> int:
    """Return how many values a type can store."""
    return element.storage_max - element.storage_min + 1


@dataclass(frozen=True)
class FuseRequantizePass(SmaltiPass):
    """Let a product give its result in the fewer bits that its only reader asks for."""

    name = "tpu-fuse-requantize"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(FuseRequantize)

    @property
    def integer_tolerance(self) -> float:
        """The effect of leaving out one of two roundings before each product, carried through a network's depth: a step
        of 4 bits is a fifteenth of a range.
        """
        return _ROUNDED_ONCE

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [FuseRequantize()])
