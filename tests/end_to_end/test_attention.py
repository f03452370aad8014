"""Attention blocks on the whole path: post-norm as in BERT, pre-norm with a causal mask as in GPT-2; masks."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.compile_options import CompileOptions

from .test_random_networks import check_f32, check_int8, close, inputs_of, levels, same

HIDDEN, HEADS, TOKENS = 24, 3, 11


class Block:
    """A graph that grows node by node."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, *shape, scale=1.0):
        return self.constant(self.rng.normal(0, scale, shape).astype(np.float32))

    def linear(self, x, inputs, outputs):
        product = self.op("MatMul", x, self.normal(inputs, outputs, scale=inputs**-0.5))
        return self.op("Add", product, self.normal(outputs, scale=0.1))

    def norm(self, x):
        scale, bias = self.normal(HIDDEN, scale=0.5), self.normal(HIDDEN, scale=0.1)
        return self.op("LayerNormalization", x, scale, bias)

    def masked(self, scores, x, mask):
        """Scores without those of later tokens, or of tokens that the input says."""
        later = np.triu(np.ones((TOKENS, TOKENS), np.bool_), 1)
        match mask:
            case "add":
                addend = self.constant(np.where(later, -20, 0).astype(np.float32))
                return self.op("Add", scores, addend)
            case "add_infinity":
                addend = self.constant(np.where(later, -np.inf, 0).astype(np.float32))
                return self.op("Add", scores, addend)
            case "where":
                hidden = self.constant(np.float32(-np.inf))
                return self.op("Where", self.constant(~later), scores, hidden)
            case "computed":
                # As padding: which tokens there are is known at run time; here their means say it.
                means = self.op("ReduceMean", x, axes=[2])
                means = self.op("Reshape", means, self.constant(np.array([0, 1, 1, TOKENS])))
                keep = self.op("Less", means, self.constant(np.float32(0.2)))
                numbers = (self.constant(np.float32(number)) for number in (0, -10000))
                return self.op("Add", scores, self.op("Where", keep, *numbers))
        return scores

    def attention(self, x, mask=None):
        split = self.constant(np.array([0, 0, HEADS, HIDDEN // HEADS], np.int64))
        heads = []
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
            part = self.op("Reshape", self.linear(x, HIDDEN, HIDDEN), split)
            heads.append(self.op("Transpose", part, perm=order))
        scores = self.op("MatMul", heads[0], heads[1])
        # The divisor has no axes, as exporters write it.
        scores = self.op("Div", scores, self.constant(np.array(8**0.5, np.float32)))
        shares = self.op("Softmax", self.masked(scores, x, mask), axis=-1)
        y = self.op("Transpose", self.op("MatMul", shares, heads[2]), perm=[0, 2, 1, 3])
        y = self.op("Reshape", y, self.constant(np.array([0, 0, HIDDEN], np.int64)))
        return self.linear(y, HIDDEN, HIDDEN)

    def feed_forward(self, x):
        y = self.op("Relu", self.linear(x, HIDDEN, 4 * HIDDEN))
        return self.linear(y, 4 * HIDDEN, HIDDEN)

    def model(self, output):
        shape = [2, TOKENS, HIDDEN]
        graph = helper.make_graph(
            self.nodes,
            "block",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def post_norm():
    """An encoder layer of BERT, small."""
    block = Block()
    x = block.norm(block.op("Add", block.attention("x"), "x"))
    return block.model(block.norm(block.op("Add", block.feed_forward(x), x)))


def pre_norm():
    """A block of GPT-2, small; later tokens are masked by an addition."""
    block = Block()
    x = block.op("Add", block.attention(block.norm("x"), mask="add"), "x")
    return block.model(block.op("Add", block.feed_forward(block.norm(x)), x))


@pytest.mark.share(3)
@pytest.mark.parametrize("make", [post_norm, pre_norm])
@pytest.mark.parametrize(("target", "cores"), [("edge-1c", 1), ("default-8c", 8)])
def test_levels_agree(make, target, cores):
    """Near ONNX Runtime in f32; in INT8 all levels to the bit, on every target."""
    check_f32(make(), target, cores)
    check_int8(make(), target, cores)


MASKS = ["add", "add_infinity", "where", "computed"]


def masked(mask: str):
    block = Block()
    return block.model(block.attention("x", mask))


@pytest.mark.share(3)
@pytest.mark.parametrize("mask", MASKS)
def test_masks_in_floats(mask: str):
    model = masked(mask)
    check_f32(model, "default-8c", 8)
    inputs = inputs_of(model, 1)
    expected = run_onnx(model, inputs)
    for quantize, tolerance in (("f16", 0.01), ("bf16", 0.05)):
        for result in levels(model, CompileOptions("default-8c", 8, quantize), inputs):
            close(result, expected, tolerance, quantize)


@pytest.mark.parametrize("mask", MASKS)
def test_masks_leave_scores_their_8_bits(mask: str):
    """The levels agree to the bit, and the result is as near as without a mask."""
    model = masked(mask)
    inputs = inputs_of(model, 1)
    options = CompileOptions("default-8c", 8, "int8", inputs)
    tpu, tile, program = levels(model, options, inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    for name, expected in run_onnx(model, inputs).items():
        assert Difference.between(name, program[name], expected).snr_db > 25
