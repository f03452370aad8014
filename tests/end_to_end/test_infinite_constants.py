"""Constants that are not finite: those that change nothing are gone, and none that a network is used to stops INT8."""

import numpy as np
import pytest
from onnx import ModelProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model, import_model

from tests.unit.compiler.onnx_import.onnx_models import model_of, ops_of, random_input

node = helper.make_node
INFINITY = np.array(np.inf, np.float32)


def after_product(*nodes, shape=(1, 4, 6, 6), **constants) -> ModelProto:
    """A model whose nodes read `a`, a product of the input `x` with weights."""
    weights = {"w": random_input(shape[-1], shape[-1], seed=1)}
    return model_of(
        [node("MatMul", ["x", "w"], ["a"]), *nodes],
        {"x": shape},
        constants={**weights, **constants},
    )


UNCHANGED = {
    "the greater of x and -inf": after_product(
        node("Max", ["a", "c"], ["b"]), node("Relu", ["b"], ["y"]), c=-INFINITY
    ),
    "the lesser of inf and x": after_product(
        node("Min", ["c", "a"], ["b"]), node("Relu", ["b"], ["y"]), c=np.full((1, 6), INFINITY)
    ),
    "one of several": after_product(
        node("Max", ["a", "c", "x"], ["b"]), node("Relu", ["b"], ["y"]), c=-INFINITY
    ),
    "bounds": after_product(
        node("Clip", ["a", "c", "d"], ["b"]), node("Relu", ["b"], ["y"]), c=-INFINITY, d=INFINITY
    ),
}
CHANGING = {
    "padding of a max pool": after_product(
        node("Pad", ["a", "p", "c"], ["b"]),
        node("MaxPool", ["b"], ["y"], kernel_shape=[3, 3], strides=[2, 2]),
        p=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        c=-INFINITY,
    ),
    "a mask of scores": after_product(
        node("Add", ["a", "c"], ["b"]),
        node("Softmax", ["b"], ["y"]),
        c=np.triu(np.full((6, 6), -INFINITY), 1),
    ),
    "scores that are chosen": after_product(
        node("Where", ["m", "a", "c"], ["b"]),
        node("Softmax", ["b"], ["y"]),
        c=-INFINITY,
        m=np.tri(6, dtype=np.bool_),
    ),
}


@pytest.mark.parametrize(
    "model", [*UNCHANGED.values(), *CHANGING.values()], ids=[*UNCHANGED, *CHANGING]
)
def test_in_floats_and_in_int8(model: ModelProto):
    x = random_input(1, 4, 6, 6, seed=3)
    expected = run_onnx(model, {"x": x})["y"]
    np.testing.assert_allclose(import_model(model).run({"x": x})["y"], expected, atol=1e-5)
    compiled = compile_model(model, target="edge-1c", calibration={"x": x})
    tolerance = 0.02 * float(np.abs(expected).max())
    np.testing.assert_allclose(compiled.run({"x": x})["y"], expected, atol=tolerance)


@pytest.mark.parametrize("model", UNCHANGED.values(), ids=UNCHANGED)
def test_what_changes_nothing_is_gone(model: ModelProto):
    names = [op.name for op in ops_of(import_model(model).module)]
    assert "top.clip" not in names and names.count("top.max") <= 1 and "top.min" not in names


def test_a_constant_that_makes_the_result_larger_stays():
    """It is broadcast against, so that its shape counts."""
    model = model_of(
        [node("Max", ["x", "c"], ["y"])], {"x": (3,)}, constants={"c": np.full((2, 1), -INFINITY)}
    )
    x = random_input(3)
    np.testing.assert_array_equal(import_model(model).run({"x": x})["y"], np.stack([x, x]))
