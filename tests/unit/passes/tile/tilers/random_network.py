"""A network of `tpu` ops under construction, and the check that tiling keeps what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.targets.target import load_target
from smalti.dialects import tile, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext, weights_of
from smalti.dialects.ir.location import named
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.quant import uniform, uniform_per_axis
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, TensorType, f32, i32
from xdsl.ir import Attribute, Block, Region, SSAValue


@dataclass
class Network:
    """A function under construction; every value is named."""

    quantized: bool
    rng: np.random.Generator
    ctx: SmaltiContext = field(default_factory=make_context)
    ops: list[Any] = field(default_factory=list)
    inputs: list[tuple[str, TensorType]] = field(default_factory=list)
    block: Block = field(default_factory=Block)

    def element(self) -> Attribute:
        """Choose a number format for an activation."""
        if not self.quantized:
            return f32
        return uniform(
            "i8", float(np.float32(self.rng.uniform(0.02, 0.2))), int(self.rng.integers(-20, 21))
        )

    def input(self, *shape: int) -> SSAValue:
        """Add an argument, copied into an intermediate buffer."""
        kind = TensorType(self.element(), list(shape))
        argument = self.block.insert_arg(kind, len(self.block.args))
        name = f"in{len(self.inputs)}"
        self.inputs.append((name, kind))
        return self.add(tpu.ClampOp(f"{name}.copy", argument, clamp_high=1e3))

    def add(self, op: Any) -> SSAValue:
        """Append an op and return its result."""
        op.location = named(f"node_{len(self.ops)}")
        self.ops.append(op)
        return op.output

    def weight(self, array: np.ndarray, element: Attribute) -> SSAValue:
        """Add a constant of the store."""
        name = f"w{len(self.ops)}"
        key = weights_of(self.ctx).add(name, array)
        return self.add(tpu.WeightOp(name, type=TensorType(element, list(array.shape)), key=key))

    def parameters(self, *shape: int, axis: int = 0) -> SSAValue:
        """Add random weights, quantized along `axis`."""
        if not self.quantized:
            return self.weight(self.rng.standard_normal(shape).astype(np.float32), f32)
        scales = np.float32(self.rng.uniform(0.005, 0.02, shape[axis])).astype(float)
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        return self.weight(values, uniform_per_axis("i8", axis, list(scales)))

    def bias(self, channels: int) -> SSAValue:
        """Add a random bias."""
        if not self.quantized:
            return self.weight(self.rng.standard_normal(channels).astype(np.float32), f32)
        return self.weight(self.rng.integers(-3000, 3000, channels).astype(np.int32), i32)

    def module(self, result: SSAValue, target: str) -> ModuleOp:
        """Return the module that returns `result` both as it is and clamped."""
        again = self.add(tpu.ClampOp("again", result, clamp_low=-2.0))
        self.block.add_ops([*self.ops, func.ReturnOp(result, again)])
        types = ([kind for _, kind in self.inputs], [result.type, again.type])
        function = func.FuncOp("main", types, Region(self.block))
        names = ArrayAttr([StringAttr(name) for name, _ in self.inputs])
        function.attributes["smalti.inputs"] = names
        function.attributes["smalti.outputs"] = ArrayAttr([StringAttr("y"), StringAttr("z")])
        module = ModuleOp([function])
        set_target(module, target, load_target(target))
        return module

    def values(self) -> dict[str, np.ndarray]:
        """Return random inputs for two samples."""
        result: dict[str, np.ndarray] = {}
        for name, kind in self.inputs:
            shape = kind.get_shape()
            lead = (2 * shape[0], *shape[1:]) if shape else ()
            if self.quantized:
                result[name] = self.rng.integers(-128, 128, lead).astype(np.int8)
            else:
                result[name] = self.rng.standard_normal(lead).astype(np.float32)
        return result


def check(
    network: Network,
    result: SSAValue,
    target: str,
    cores: int,
    schedule: Callable[[tile.LayerOp], None] | None = None,
) -> ModuleOp:
    """Run the network before and after tiling, and compare; return the tiled module. `schedule` may decide how a layer
    is carried out.
    """
    module = network.module(result, target)
    store, inputs = weights_of(network.ctx), network.values()
    want = run_tpu(module, store, inputs)
    run_pipeline(network.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    for op in list(module.walk()):
        if schedule is not None and isinstance(op, tile.LayerOp):
            schedule(op)
    stages = f"tile-split-over-cores{{cores={cores}}},tile-cut-to-local-memory"
    run_pipeline(network.ctx, module, parse_pipeline(stages))
    assert not any(isinstance(op, tile.LayerOp) for op in module.walk())
    got = run_tile(module, store, inputs)
    for name, array in want.items():
        assert got[name].dtype == array.dtype and got[name].shape == array.shape
        if array.dtype.kind == "f":
            np.testing.assert_allclose(got[name], array, rtol=2e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(got[name], array)
    return module
