"""Passes with planted faults, and networks to plant them in."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.debugging.experiment import IrExperiment, OnnxExperiment
from smalti.compiler.onnx_import.importer import import_onnx
from smalti.dialects import tile, top, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import real
from smalti.dialects.quant.number_format import NumberFormat
from smalti.passes.registry import PASSES
from smalti.passes.smalti_pass import Level, SmaltiPass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)

from .global_memory import IN_GLOBAL_MEMORY

FAULTY = "relu33"
"""The ONNX node that the faults sit on."""


class SwapOperands(RewritePattern):
    """relu + x becomes x + relu: right, and done for every block."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.AddOp, rewriter: PatternRewriter):
        if isinstance(op.lhs.owner, top.ReluOp):
            rewriter.replace(op, top.AddOp(op.result_name.data, op.rhs, op.lhs))


class DropRelu(RewritePattern):
    """One relu is left out: wrong."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter):
        if op.result_name.data == "r33":
            rewriter.replace(op, [], [op.input])


@dataclass(frozen=True)
class WrongNumbers(SmaltiPass):
    """Leave out one relu among many rewrites that are right."""

    name = "test-wrong-numbers"
    level: ClassVar[Level] = "top"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [SwapOperands(), DropRelu()])


@dataclass(frozen=True)
class Refuses(SmaltiPass):
    """Stop where a certain relu feeds an add."""

    name = "test-refuses"
    level: ClassVar[Level] = "top"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        for op in module.walk():
            if isinstance(op, top.ReluOp) and op.result_name.data == "r33":
                for use in op.output.uses:
                    if isinstance(use.operation, top.AddOp):
                        raise DiagnosticError(f"op 12 cannot add '{op.result_name.data}'")


@pytest.fixture
def faulty_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers the passes."""
    for each in (WrongNumbers, Refuses, Bump, HoistStores, DropClip, Sloppy, DropWaits):
        monkeypatch.setitem(PASSES, each.name, f"{__name__}:{each.__name__}")


def residual_network(blocks: int = 66) -> onnx.ModelProto:
    """conv → relu → add, `blocks` times: 198 nodes as it stands."""
    generator = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    value = "x"
    for i in range(blocks):
        kernel = generator.normal(0, 0.05, (8, 8, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"w{i}"))
        nodes += [
            oh.make_node("Conv", [value, f"w{i}"], [f"c{i}"], f"conv{i}", pads=[1, 1, 1, 1]),
            oh.make_node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}"),
            oh.make_node("Add", [f"r{i}", value], [f"a{i}"], f"add{i}"),
        ]
        value = f"a{i}"
    ports = [
        oh.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 8, 8, 8]) for n in ("x", value)
    ]
    graph = oh.make_graph(nodes, "residual", ports[:1], ports[1:], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


def ir_experiment(*passes: str) -> IrExperiment:
    """The network as top IR, and passes."""
    ctx = make_context()
    return IrExperiment(passes, import_onnx(residual_network(), ctx), ctx)


def tile_experiment(*passes: str) -> IrExperiment:
    """A small network as copies and computations of one core, and passes."""
    options = CompileOptions("edge-1c", None, "f32", None, changes=(IN_GLOBAL_MEMORY,))
    net = start_from_model(residual_network(2), options)
    net.lower_to("tile")
    return IrExperiment(passes, net.module, net.ctx)


CLIPPED = """
func.func @main(%x: tensor<1x8x!quant.calibrated<f32<-30.0:20.0>>>) -> tensor<1x8xf32>
    attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %c = top.clip "c" %x low = 0.0 high = 6.0 : (tensor<1x8x!quant.calibrated<f32<-30.0:20.0>>>) -> tensor<1x8xf32>
  %y = top.unary "y" %c kind = "sqrt" : (tensor<1x8xf32>) -> tensor<1x8xf32>
  func.return %y : tensor<1x8xf32>
}
"""
"""A clip whose upper bound standard normal numbers never reach."""


def onnx_experiment(*passes: str) -> OnnxExperiment:
    """The network as a model, and passes."""
    return OnnxExperiment(passes, residual_network())


@dataclass(frozen=True)
class Bump(SmaltiPass):
    """Clamp one product of a quantized network a little above its least value: off by one step."""

    name = "test-bump"
    level: ClassVar[Level] = "tpu"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        for op in module.walk():
            if isinstance(op, tpu.AddOp):
                element = NumberFormat.of(op.output.type)
                low = (-128 - element.zero_point + 60) * element.scale
                op.properties["clamp_low"] = real(low)
                return


@dataclass(frozen=True)
class HoistStores(SmaltiPass):
    """Move every store to global memory to the front, even before what computes the bytes that it stores."""

    name = "test-hoist-stores"
    level: ClassVar[Level] = "tile"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        program = tile.program_of(module)
        steps = program.steps
        stores = [op for op in steps if isinstance(op, tile.CopyOp) and op.is_store]
        for op in [*program.buffers, *stores, *(op for op in steps if op not in stores)]:
            op.detach()
            program.body.block.add_op(op)


@dataclass(frozen=True)
class DropWaits(SmaltiPass):
    """Let no instruction wait for another engine of its core: a race, though the numbers may come out right."""

    name = "test-drop-waits"
    level: ClassVar[Level] = "isa"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        for op in module.walk():
            op.properties.pop("after", None)


class ClipToRelu(RewritePattern):
    """clip becomes relu: wrong where the upper bound binds."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ClipOp, rewriter: PatternRewriter):
        rewriter.replace(op, top.ReluOp(op.result_name.data, op.input))


@dataclass(frozen=True)
class DropClip(SmaltiPass):
    """Drop the upper bound of clips."""

    name = "test-drop-clip"
    level: ClassVar[Level] = "top"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [ClipToRelu()])


@dataclass(frozen=True)
class Sloppy(WrongNumbers):
    """Make the same mistake, and declare that this much may change."""

    name = "test-sloppy"

    @property
    def tolerance(self) -> float:
        return 10.0
