"""Normalizations written as several ops: recognized, and right on every level, in floats and in INT8."""

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.networks.accuracy import Case, measure
from tests.networks.catalog import Network

from .test_attention import HIDDEN, TOKENS, Block
from .test_random_networks import check_f32, check_int8, close, levels

EPSILON = 1e-5


class OldBlock(Block):
    """A graph in opset 11, in which a layer normalization is written out in the form `form`."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def number(self, value):
        return self.constant(np.float32(value))

    def mean(self, x):
        return self.op("ReduceMean", x, axes=[-1], keepdims=1)

    def root(self, squares):
        return self.op("Sqrt", self.op("Add", self.mean(squares), self.number(EPSILON)))

    def norm(self, x):
        scale, bias = self.normal(HIDDEN, scale=0.5), self.normal(HIDDEN, scale=0.1)
        if self.form == "shifted":
            return self.shifted(x, scale, bias)
        if self.form.startswith("jax"):
            return self.jax(x, scale, bias, clip="clipped" in self.form, means="mean" in self.form)
        d = x if self.form.startswith("rms") else self.op("Sub", x, self.mean(x))
        normalized = {
            "divided": self.divided, "reciprocal": self.reciprocal, "two_deviations": self.two_deviations,
            "rms": self.reciprocal, "rms_quotient": self.rms_quotient, "rms_power": self.rms_power,
            "rms_of_reciprocal": self.rms_of_reciprocal,
        }[self.form](x, d)  # fmt: skip
        if self.form == "rms":
            return self.op("Mul", scale, normalized)
        return self.op("Add", bias, self.op("Mul", scale, normalized))

    def divided(self, x, d):
        """As PyTorch's exporter writes it."""
        return self.op("Div", d, self.root(self.op("Pow", d, self.number(2))))

    def reciprocal(self, x, d):
        return self.op("Mul", d, self.op("Reciprocal", self.root(self.op("Mul", d, d))))

    def two_deviations(self, x, d):
        """As Keras's was: the mean is taken away twice."""
        other = self.op("Sub", x, self.mean(x))
        return self.op("Div", d, self.root(self.op("Mul", other, other)))

    def rms_quotient(self, x, d):
        return self.op("Mul", self.op("Div", self.number(1), self.root(self.op("Mul", x, x))), x)

    def shifted(self, x, scale, bias):
        """As TensorFlow's batch_normalization writes it: x·s + (bias − mean·s)."""
        mean = self.mean(x)
        d = self.op("Sub", x, mean)
        root = self.root(self.op("Mul", d, d))
        s = self.op("Mul", self.op("Reciprocal", root), scale)
        shift = self.op("Sub", bias, self.op("Mul", mean, s))
        return self.op("Add", self.op("Mul", x, s), shift)

    def rms_power(self, x, d):
        """√ and its inverse as powers, the mean as a sum over n."""
        total = self.op("ReduceSum", self.op("Pow", x, self.number(2)), axes=[-1], keepdims=1)
        mean = self.op("Div", total, self.number(HIDDEN))
        squares = self.op("Add", mean, self.number(EPSILON))
        return self.op("Mul", x, self.op("Pow", squares, self.number(-0.5)))

    def rms_of_reciprocal(self, x, d):
        squares = self.op("Add", self.number(EPSILON), self.mean(self.op("Mul", x, x)))
        return self.op("Mul", self.op("Sqrt", self.op("Reciprocal", squares)), x)

    def jax(self, x, scale, bias, *, clip: bool, means: bool):
        """E[x²] − E[x]² without the reduced axis, which reshapes bring back."""

        def mean(value):
            if means:
                return self.op("ReduceMean", value, axes=[-1], keepdims=0)
            total = self.op("ReduceSum", value, axes=[-1], keepdims=0)
            return self.op("Mul", total, self.number(1 / HIDDEN))

        def kept(value):
            return self.op("Reshape", value, self.constant(np.array([-1, TOKENS, 1])))

        of_squares, of_x = mean(self.op("Mul", x, x)), mean(x)
        variance = self.op("Sub", of_squares, self.op("Mul", of_x, of_x))
        if clip:
            variance = self.op("Max", variance, self.number(0))
        root = self.op("Sqrt", self.op("Add", kept(variance), self.number(EPSILON)))
        factor = self.op("Mul", self.op("Reciprocal", root), scale)
        deviation = self.op("Sub", x, kept(of_x))
        return self.op("Add", self.op("Mul", deviation, factor), bias)

    def model(self, output):
        model = super().model(output)
        model.opset_import[0].version = 11
        onnx.checker.check_model(model)
        return model


FORMS = {
    "divided": "mean_variance", "reciprocal": "mean_variance", "two_deviations": "mean_variance",
    "shifted": "mean_variance", "rms": "rms", "rms_quotient": "rms", "rms_power": "rms",
    "rms_of_reciprocal": "rms", "jax": "mean_variance", "jax_clipped": "mean_variance",
    "jax_means_clipped": "mean_variance",
}  # fmt: skip


def bert(form: str):
    """An encoder layer of BERT, small."""
    block = OldBlock(form)
    x = block.norm(block.op("Add", block.attention("x"), "x"))
    return block.model(block.norm(block.op("Add", block.feed_forward(x), x)))


def top_of(model: onnx.ModelProto):
    compilation = start_from_model(model, CompileOptions("edge-1c", None, "f32"))
    compilation.lower_to("top")
    return [op for op in compilation.module.walk() if op.name.startswith("top.")]


@pytest.mark.parametrize(("form", "kind"), FORMS.items())
def test_form_becomes_one_op(form: str, kind: str):
    block = OldBlock(form)
    model = block.model(block.norm("x"))
    ops = [op for op in top_of(model) if op.name != "top.weight"]
    assert [op.name for op in ops] == ["top.normalize"]
    assert ops[0].properties["kind"].data == kind
    assert len(ops[0].operands) == (2 if form == "rms" else 3)
    x = np.random.default_rng(2).normal(3, 2, (2, TOKENS, HIDDEN)).astype(np.float32)
    expected = run_onnx(model, {"x": x})
    for result in levels(model, CompileOptions("edge-1c", None, "f32"), {"x": x}):
        close(result, expected, 1e-6, form)


def test_variance_that_a_narrow_float_cannot_hold():
    """What is written with squares beyond f16 is right in f16, too."""
    block = OldBlock("jax_clipped")
    model = block.model(block.norm("x"))
    x = np.random.default_rng(3).normal(200, 400, (2, TOKENS, HIDDEN)).astype(np.float32)
    expected = run_onnx(model, {"x": x})
    for result in levels(model, CompileOptions("edge-1c", None, "f16"), {"x": x}):
        close(result, expected, 2e-3, "f16")


@pytest.mark.parametrize("shape", [(), (1,), (TOKENS, 1), (TOKENS, HIDDEN), (2, 1, 1)], ids=str)
def test_scale_and_bias_of_any_shape(shape: tuple[int, ...]):
    block = OldBlock("rms")
    y = block.op("Mul", block.rms_quotient("x", "x"), block.normal(*shape))
    model = block.model(block.op("Add", y, block.normal(*shape)))
    assert [op.name for op in top_of(model) if op.name != "top.weight"] == ["top.normalize"]
    check_f32(model, "default-8c", 8)


@pytest.mark.share(3)
@pytest.mark.parametrize("form", ["divided", "shifted", "rms"])
def test_bert_block(form: str):
    """Near ONNX Runtime in f32; in INT8 all levels to the bit."""
    model = bert(form)
    assert sum(op.name == "top.normalize" for op in top_of(model)) == 2
    check_f32(model, "default-8c", 8)
    check_int8(model, "default-8c", 8)


def test_bert_block_in_int8_beside_onnx_runtime():
    """Every tensor within 3 dB of what ONNX Runtime's static quantization reaches."""

    def data(samples: int, seed: int):
        rng = np.random.default_rng([seed, samples])
        return {"x": rng.standard_normal((samples, TOKENS, HIDDEN), dtype=np.float32)}

    model = bert("divided")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    case = Case(Network("block", lambda seed: model, data, class_axis=None))
    found = measure(case, "int8")
    assert found.levels_differ == 0
    assert len(found.losses()) > 10
    assert max(found.losses().values()) <= 3


def test_instances_whose_rows_are_padded_between_layers_fit_a_small_core():
    """Their tiles, of rows without padding, do not lie where the neighbors keep them, and need room of their own."""
    scale = onnx.numpy_helper.from_array(np.ones(1000, np.float32), "scale")
    bias = onnx.numpy_helper.from_array(np.zeros(1000, np.float32), "bias")
    nodes = [
        onnx.helper.make_node("Relu", ["x"], ["a"]),
        onnx.helper.make_node("InstanceNormalization", ["a", "scale", "bias"], ["n"], epsilon=1e-3),
        onnx.helper.make_node("Relu", ["n"], ["y"]),
    ]
    shape = (2, 1000, 2, 4)
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in "xy"
    )
    graph = onnx.helper.make_graph(nodes, "instances", [x], [y], [scale, bias])
    opsets = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    check_f32(model, "edge-1c", 1)
    check_int8(model, "edge-1c", 1)
