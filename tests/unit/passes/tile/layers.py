"""The layers of a network as the passes that plan see them."""

from __future__ import annotations

from collections.abc import Collection

from smalti.dialects import tile
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.target_attribute import target_of
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.tiler_bases.layer import Buffer, Layer, mark_kept
from smalti.passes.tile.tiler_bases.tiler import Tiler
from smalti.passes.tile.tilers.registry import tiler_of
from smalti.passes.tiling.cost import CostModel
from xdsl.dialects.builtin import ModuleOp


def tilers_of(
    module: ModuleOp, ctx: SmaltiContext, kept: Collection[str] | None = None
) -> dict[str, Tiler]:
    """Convert a `tpu` module to `tile`; return the tiler of each layer by the name of its op. The outputs of the layers
    `kept` stay in local memories; all that are scratch do unless given.
    """
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile"))
    ops = list(tile.program_of(module).body.block.ops)
    buffers = {op.output: Buffer.of(op) for op in ops if isinstance(op, tile.GlobalOp)}
    layers = {op.tpu_name: op for op in ops if isinstance(op, tile.LayerOp)}
    names = layers if kept is None else kept
    outputs = {layers[name].output for name in names}
    mark_kept(buffers, {each for each in outputs if buffers[each].segment == "scratch"})
    costs = CostModel(target_of(module))
    return {name: tiler_of(Layer.of(op, buffers), costs) for name, op in layers.items()}
