"""The ends of a network, which scheme `hybrid` keeps in 16 bits."""

import numpy as np
import onnx
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.dialects import top, tpu
from smalti.dialects.quant.element_type import element_storage
from smalti.passes.top_to_tpu.precision.network_ends import network_ends

NETWORK = """<ir_version: 8, opset_import: ["" : 17]> g (float[2,4] x) => (float[2,4] y)
<float[4,4] w> { a = MatMul(x, w)  b = MatMul(a, w)  c = Relu(b)  d = MatMul(c, w)  y = Add(d, c) }"""


def network() -> onnx.ModelProto:
    model = onnx.parser.parse_model(NETWORK)
    w = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(w, "w"))
    return model


def test_ends_are_the_first_product_and_what_follows_the_last_one_before_it():
    start = start_from_model(network(), CompileOptions(quantize="f32"))
    start.lower_to("top")
    layers = [
        op.output
        for op in start.module.walk()
        if isinstance(op, top.TopOp) and not isinstance(op, top.WeightOp)
    ]
    names = {value.owner.result_name.data for value in network_ends(layers)}  # pyright: ignore[reportAttributeAccessIssue]
    assert names == {"a", "d", "y"}
    assert network_ends([]) == frozenset()


def test_hybrid_networks_have_both_kinds_of_activations():
    samples = {"x": np.random.default_rng(1).normal(size=(32, 4)).astype(np.float32)}
    start = start_from_model(network(), CompileOptions(calibration=samples, scheme="hybrid"))
    start.lower_to("tpu")
    products = [op for op in start.module.walk() if isinstance(op, tpu.MatmulOp)]
    assert [element_storage(op.output.type) for op in products] == ["i16", "i8", "i16"]
