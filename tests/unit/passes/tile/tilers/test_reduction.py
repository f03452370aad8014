"""Reductions of what stays on chip read it where it is."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.instructions.instruction_set import SPACES, Reduce, Store
from smalti.backends.program.encoding import select
from smalti.compiler import compile_model


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    """A convolution of 200 channels, of which the mean over the image is taken."""
    weights = np.random.default_rng(0).normal(size=(200, 16, 1, 1)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"]),
            helper.make_node("GlobalAveragePool", ["c"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 16, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 200, 1, 1])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_a_part_of_the_channels_is_no_copy(network: onnx.ModelProto):
    """Tiles of 64 channels read rows of 200, or the 8 that are left, with gaps between them."""
    data = {"x": np.random.default_rng(1).normal(size=(4, 16, 6, 6)).astype(np.float32)}
    found, copies = {}, {}
    for tile in (64, 200):
        compiled = compile_model(
            network,
            calibration=data,
            cores=1,
            schedule={"c": "output = local", "y": f"tile = [1, {tile}, 1, 1]"},
        )
        (words,) = compiled.program.streams
        reduces = select(words, Reduce)[1]
        assert len(reduces) == -(-200 // tile)
        assert (reduces["length_stride"] > reduces["inner"]).any() == (tile == 64)
        copies[tile] = select(words, Store)[1]["dst_space"].tolist().count(SPACES.index("local"))
        found[tile] = compiled.run({"x": data["x"][:1]})["y"]
    assert copies[64] == copies[200]
    np.testing.assert_array_equal(found[64], found[200])
