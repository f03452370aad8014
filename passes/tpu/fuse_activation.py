"""`tpu-fuse-activation`: fuses a clamp into the op that makes its input.

Before:

    %c = tpu.conv2d "c" %x, %w, %b accumulator = "i32" : (…) -> tensor<1x8x8x8x!quant.uniform<…>>
    %y = tpu.clamp "y" %c clamp_low = 0.0 clamp_high = 6.0 : …

After:

    %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" clamp_low = 0.0 clamp_high = 6.0 : …

What is computed stays the same to the bit: a clamp is the last step of the op that takes it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...dialects import tpu
from ...dialects.ir.attribute import optional_real
from ...dialects.network.rewriting import clone_with, erase_if_unused
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass

Bound = float | None


class FuseClamp(RewritePattern):
    """An op that can clamp and whose only user is a clamp  ⇒  the op with both clamps."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tpu.ClampOp, rewriter: PatternRewriter, /) -> None:
        producer = op.input.owner
        if not isinstance(producer, tpu.ClampedOp) or not producer.output.has_one_use():
            return
        if producer.output.type != op.output.type:
            return
        low, high = compose(producer.clamp, op.clamp)
        properties = {
            "name": op.result_name,
            "clamp_low": optional_real(low),
            "clamp_high": optional_real(high),
        }
        rewriter.replace(op, clone_with(producer, properties))
        erase_if_unused(rewriter, producer)


class RemoveIdleClamp(RewritePattern):
    """A clamp without bounds ⇒ its input."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tpu.ClampOp, rewriter: PatternRewriter, /) -> None:
        folded = op.fold()
        if folded is not None:
            rewriter.replace(op, [], folded)


@dataclass(frozen=True)
class FuseActivation(SmaltiPass):
    """Fuse clamps (relu, clip) into the op that makes their input."""

    name = "tpu-fuse-activation"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(RemoveIdleClamp, FuseClamp)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [RemoveIdleClamp(), FuseClamp()])


def compose(first: tuple[Bound, Bound], second: tuple[Bound, Bound]) -> tuple[Bound, Bound]:
    """Return the one clamp that does what `first` and then `second` do: the bounds of `first`, clamped by `second`."""
    low, high = second

    def moved(bound: Bound, otherwise: Bound) -> Bound:
        if bound is None:
            return otherwise
        if low is not None:
            bound = max(bound, low)
        return bound if high is None else min(bound, high)

    return moved(first[0], low), moved(first[1], high)
