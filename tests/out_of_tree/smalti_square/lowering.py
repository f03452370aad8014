"""From x · x to the instruction: a pass that finds squares, their conversion, and how they are tiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smalti.dialects import top
from smalti.passes.smalti_pass import Level, SmaltiPass
from smalti.passes.tile.tiler_bases.box_tiler import BoxTiler
from smalti.passes.tile.tiler_bases.constants import Constants
from smalti.passes.tile.tiler_bases.emitter import Emitter
from smalti.passes.tiling.windows import Window, sizes_of
from smalti.passes.top_to_tpu.tpu_builder import TpuBuilder
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from .dialect import SquareOp, TileSquareOp, TpuSquareOp


class FindSquare(RewritePattern):
    """x · x  ⇒  the square of x."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.MulOp, rewriter: PatternRewriter, /) -> None:
        if op.lhs is op.rhs:
            square = SquareOp(op.result_name.data, op.lhs, type=op.output.type)
            rewriter.replace(op, square)


@dataclass(frozen=True)
class FindSquares(SmaltiPass):
    """Find squares written as products."""

    name = "top-find-squares"
    level: ClassVar[Level] = "top"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [FindSquare()])


def convert(builder: TpuBuilder, op: SquareOp) -> None:
    """A square is computed in floats, whatever its neighbors are."""
    made = TpuSquareOp(op.result_name.data, builder.as_float(op.input))
    builder.set_float(op.output, builder.add(made).output)


class SquareTiler(BoxTiler):
    """square.of_floats: input and output have one shape."""

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.costs.vector_cycles(self.layer.output.storage, elements, 1)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        sizes = sizes_of(window)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        out = emitter.alloc(self.local_shape(sizes), self.layer.output.storage, name="out")
        emitter.compute(TileSquareOp, [x, out], {})
        self.store(emitter, out, window, pitch)
