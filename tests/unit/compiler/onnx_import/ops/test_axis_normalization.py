"""Normalizations by statistics of the input: results and operands in all their forms."""

import numpy as np
import pytest
from onnx import helper

from tests.unit.compiler.onnx_import.node_check import check_node, node_model, runtime
from tests.unit.compiler.onnx_import.onnx_models import imported, ops_of, random_input

F16, F32 = np.dtype(np.float16), np.dtype(np.float32)


@pytest.mark.parametrize("scale", [(5,), (4, 5), (1,), (3, 1, 1)])
@pytest.mark.parametrize(
    "outputs", [["y", "mean", "deviation"], ["n", "mean"], ["n", "", "deviation"]]
)
def test_statistics_of_layer_normalization(scale: tuple[int, ...], outputs: list[str]):
    """Also with a scale that broadcasts."""
    arrays = {"x": random_input(2, 3, 4, 5), "s": random_input(*scale, seed=1)}
    node = helper.make_node("LayerNormalization", [*arrays], outputs, axis=-2)
    types = {name: F32 for name in outputs if name}
    check_node(node, arrays, 17, runtime(node, arrays, 17, types))


def test_statistics_of_f16_are_of_the_type_that_they_are_computed_in():
    arrays = {"x": random_input(4, 32).astype(F16), "s": random_input(32, seed=1).astype(F16)}
    node = helper.make_node("LayerNormalization", [*arrays], ["y", "mean", "deviation"])
    wide = {name: array.astype(F32) for name, array in arrays.items()}
    expected = runtime(node, wide, 17, dict.fromkeys(node.output, F32))
    expected["y"] = expected["y"].astype(F16)
    check_node(node, arrays, 17, expected, tolerance=2e-3)


def test_what_no_used_output_of_layer_normalization_needs_is_left_out():
    arrays = {"x": random_input(2, 5), "s": random_input(5, seed=1)}
    node = helper.make_node("LayerNormalization", [*arrays], ["y", "mean"])
    model = node_model(node, arrays, 17, results=dict.fromkeys(node.output, F32))
    del model.graph.output[0]
    module, _ = imported(model)
    assert "top.normalize" not in {op.name for op in ops_of(module)}
