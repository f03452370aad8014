"""From networks to tile programs, split and tiled: ports, copies, weights, errors; equal numbers on
every target.
"""

from __future__ import annotations

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import weights_of
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.dialects.builtin import ModuleOp

T = "tensor<1x8x6x6x!quant.uniform<i8:f32, 0.05:-1>>"
W = "tensor<24x8x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>"
C = "tensor<1x24x6x6x!quant.uniform<i8:f32, 0.1:3>>"
NETWORK = f"""
  func.func @main(%x: tensor<1x8x6x6xf32>) -> (tensor<1x24x6x6xf32>, tensor<4x6x36xf32>)
      attributes {{smalti.inputs = ["x"], smalti.outputs = ["y", "z"]}} {{
    %q = tpu.cast "q" %x : (tensor<1x8x6x6xf32>) -> {T} loc("x")
    %w = tpu.weight "w" seed = 1 : {W}
    %c = tpu.conv2d "c" %q, %w pads = [1, 1, 1, 1] accumulator = "i32"
        : ({T}, {W}) -> {C} loc("Conv_0")
    %d = tpu.add "d" %c, %c : ({C}, {C}) -> {C} loc("Add_1")
    %y = tpu.cast "y" %d : ({C}) -> tensor<1x24x6x6xf32> loc("Add_1")
    %z = tpu.reshape "z" %y : (tensor<1x24x6x6xf32>) -> tensor<4x6x36xf32> loc("Reshape_2")
    func.return %y, %z : tensor<1x24x6x6xf32>, tensor<4x6x36xf32>
  }}
"""


def module_of(text: str, target: str = "default-8c"):
    """A context, and the module of a function, for a target."""
    ctx = make_context()
    digest = load_target(target).content_hash
    head = f'module attributes {{smalti.target = "{target}", smalti.target_hash = "{digest}"}} {{'
    return ctx, parse_module(f"{head}{text}}}", ctx)


def buffers(module: ModuleOp, segment: str) -> list[tile.GlobalOp]:
    """The buffers of a segment."""
    found = [op for op in module.walk() if isinstance(op, tile.GlobalOp)]
    return [op for op in found if op.segment.data == segment]


def names(module: ModuleOp, segment: str) -> list[str]:
    """The names of a segment's buffers."""
    return [op.buffer_name.data for op in buffers(module, segment)]


@pytest.mark.parametrize("target,cores", [("edge-1c", 1), ("systolic-256", 1)] + [
    ("default-8c", cores) for cores in (1, 2, 3, 5, 8)
])  # fmt: skip
def test_the_same_numbers_on_every_target(target: str, cores: int):
    ctx, module = module_of(NETWORK, target)
    store = weights_of(ctx)
    x = {"x": np.random.default_rng(3).standard_normal((3, 8, 6, 6)).astype(np.float32) * 3}
    want = run_tpu(module, store, x)
    for stage in (
        "convert-tpu-to-tile", f"tile-split-over-cores{{cores={cores}}}", "tile-cut-to-local-memory"
    ):  # fmt: skip
        run_pipeline(ctx, module, parse_pipeline(stage))
        got = run_tile(module, store, x)
        for name in ("y", "z"):
            np.testing.assert_array_equal(got[name], want[name], err_msg=stage)


def test_every_stage_reads_what_it_prints():
    ctx, module = module_of(NETWORK)
    for stage in ("convert-tpu-to-tile", "tile-split-over-cores", "tile-cut-to-local-memory"):
        run_pipeline(ctx, module, parse_pipeline(stage))
        text = print_module(module)
        assert print_module(parse_module(text, ctx)) == text


def test_outputs_are_written_in_place_and_read_from_there():
    ctx, module = module_of(NETWORK)
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile"))
    assert names(module, "input") == ["x"] and names(module, "output") == ["y", "z"]
    assert names(module, "scratch") == ["q", "c", "d"]
    assert all(list(op.order.get_values()) == [0, 2, 3, 1] for op in buffers(module, "scratch"))


def test_returned_inputs_constants_and_repeated_results_are_copied():
    text = """
      func.func @main(%x: tensor<2x3xf32>)
          -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>)
          attributes {smalti.inputs = ["x"], smalti.outputs = ["a", "b", "c", "d"]} {
        %w = tpu.weight "w" value = dense<[1.0, 2.0, 3.0]> : tensor<3xf32> : tensor<3xf32>
        %y = tpu.add "y" %x, %w : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
        func.return %y, %y, %x, %w
            : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>
      }"""
    ctx, module = module_of(text)
    stages = "convert-tpu-to-tile,tile-split-over-cores,tile-cut-to-local-memory"
    run_pipeline(ctx, module, parse_pipeline(stages))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    got = run_tile(module, weights_of(ctx), {"x": x})
    np.testing.assert_array_equal(got["a"], x + np.array([1, 2, 3]))
    np.testing.assert_array_equal(got["b"], x + np.array([1, 2, 3]))
    np.testing.assert_array_equal(got["c"], x)
    np.testing.assert_array_equal(got["d"], [1, 2, 3])


def test_a_reshape_without_common_axes_goes_through_one_axis():
    text = """
      func.func @main(%x: tensor<4x6xf32>) -> tensor<6x4xf32>
          attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
        %y = tpu.reshape "y" %x : (tensor<4x6xf32>) -> tensor<6x4xf32>
        func.return %y : tensor<6x4xf32>
      }"""
    ctx, module = module_of(text)
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile"))
    assert names(module, "scratch") == ["y.flat"]
    assert sum(isinstance(op, tile.LayerOp) for op in module.walk()) == 2


def test_tensors_of_matrix_products_are_row_major():
    text = """
      func.func @main(%x: tensor<2x5x6xf32>) -> tensor<2x5x5xf32>
          attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
        %a = tpu.clamp "a" %x clamp_low = 0.0 : (tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
        %w = tpu.weight "w" seed = 1 : tensor<6x5xf32>
        %m = tpu.matmul "m" %a, %w accumulator = "f32"
            : (tensor<2x5x6xf32>, tensor<6x5xf32>) -> tensor<2x5x5xf32>
        %y = tpu.softmax "y" %m axis = 2 : (tensor<2x5x5xf32>) -> tensor<2x5x5xf32>
        func.return %y : tensor<2x5x5xf32>
      }"""
    ctx, module = module_of(text)
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile"))
    orders = [list(op.order.get_values()) for op in buffers(module, "scratch")]
    assert orders == [[0, 1, 2], [0, 1, 2]]


def test_windows_of_the_parts_cover_the_output_once():
    ctx, module = module_of(NETWORK)
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile,tile-split-over-cores"))
    seen: dict[str, np.ndarray] = {}
    for op in module.walk():
        if isinstance(op, tile.LayerOp):
            owner = op.output.owner
            assert isinstance(owner, tile.GlobalOp)
            count = seen.setdefault(owner.buffer_name.data, np.zeros(owner.shape.get_values()))
            bounds = op.window.get_values()
            count[tuple(map(slice, bounds[::2], bounds[1::2]))] += 1
    assert len(seen) == 5 and all((count == 1).all() for count in seen.values())


def test_unused_weights_leave_the_program():
    ctx, module = module_of(NETWORK)
    stages = "convert-tpu-to-tile,tile-split-over-cores,tile-cut-to-local-memory"
    run_pipeline(ctx, module, parse_pipeline(stages))
    assert names(module, "weights") == ["w.packed", "c.table"]


@pytest.mark.parametrize("cores", [0, 9, -1])
def test_more_cores_than_the_target_has(cores: int):
    ctx, module = module_of(NETWORK)
    run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile"))
    with pytest.raises(DiagnosticError, match="target 'default-8c' has 8"):
        run_pipeline(ctx, module, parse_pipeline(f"tile-split-over-cores{{cores={cores}}}"))


def test_what_does_not_fit_names_the_node_and_the_bytes():
    text = """
      func.func @main(%x: tensor<4x300000xf32>) -> tensor<4x300000xf32>
          attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
        %y = tpu.softmax "y" %x axis = 1
            : (tensor<4x300000xf32>) -> tensor<4x300000xf32> loc("Softmax_7")
        func.return %y : tensor<4x300000xf32>
      }"""
    ctx, module = module_of(text, "edge-1c")
    with pytest.raises(DiagnosticError) as caught:
        run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile,tile-cut-to-local-memory"))
    message = str(caught.value)
    assert "Softmax_7" in message and "2400000 bytes needed, 524288 there" in message
    assert "hint" in message


def test_weights_that_are_computed_are_refused():
    text = """
      func.func @main(%x: tensor<1x2x4x4xf32>, %w: tensor<2x2x3x3xf32>) -> tensor<1x2x2x2xf32>
          attributes {smalti.inputs = ["x", "w"], smalti.outputs = ["y"]} {
        %y = tpu.conv2d "y" %x, %w accumulator = "f32"
            : (tensor<1x2x4x4xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x2x2xf32> loc("Conv_3")
        func.return %y : tensor<1x2x2x2xf32>
      }"""
    ctx, module = module_of(text)
    with pytest.raises(DiagnosticError, match=r"(?s)weights must be constant.*Conv_3"):
        run_pipeline(ctx, module, parse_pipeline("convert-tpu-to-tile,tile-split-over-cores"))
