"""`canonicalize`: xDSL's folders and canonicalization patterns, run by the pattern driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    RewritePattern,
)
from xdsl.transforms.canonicalize import CanonicalizationRewritePattern

from .pattern_driver import pattern_counts
from .smalti_pass import Level, SmaltiPass


class CanonicalizeOp(RewritePattern):
    """Applies an op's folder or, if that changes nothing, the first of its canonicalization patterns that matches."""

    def __init__(self, ctx: Context) -> None:
        self.patterns = GreedyRewritePatternApplier(
            [CanonicalizationRewritePattern()], ctx=ctx, folding_enabled=True, dce_enabled=False
        )

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        self.patterns.match_and_rewrite(op, rewriter)


@dataclass(frozen=True)
class Canonicalize(SmaltiPass):
    """Fold ops, apply their canonicalization patterns and erase ops that nobody uses.

    This is xDSL's `canonicalize`, but with the driver that carries locations over and always ends.
    """

    name = "canonicalize"
    level: ClassVar[Level] = "any"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(CanonicalizeOp)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [CanonicalizeOp(ctx)])
