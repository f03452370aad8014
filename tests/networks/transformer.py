"""BERT-base encoder layers and GPT-2-like blocks, written as PyTorch's exporter writes them."""

from __future__ import annotations

from math import sqrt

import numpy as np
from onnx import ModelProto

from . import weights
from .graph import Graph, tensor

BERT_LAYERS, BERT_HIDDEN, BERT_HEADS, BERT_FEED_FORWARD = 12, 768, 12, 3072
GPT_HIDDEN, GPT_HEADS, GPT_POSITIONS, GPT_VOCABULARY = 128, 4, 64, 512
GPT2_SMALL_HIDDEN, GPT2_SMALL_HEADS = 768, 12
GPT2_SMALL_POSITIONS, GPT2_SMALL_VOCABULARY = 1024, 50257
_MASKED = -10000.0
"""What GPT-2 puts in the place of scores of later tokens."""


def bert_layer(seed: int = 0, opset: int = 17) -> ModelProto:
    """An encoder layer of BERT-base (Devlin et al. 2018): `hidden` [batch, sequence, 768] → `output`, the same shape.

    12 heads, feed-forward of 3,072 with the exact Gelu, a layer normalization after each residual: one node since
    opset 17, nine before.
    """
    graph = Graph(seed)
    output = _encoder_layer(graph, "hidden", "", opset)
    return _encoder_model(graph, "bert_layer", output, opset)


def bert_base(seed: int = 0) -> ModelProto:
    """The 12 encoder layers of BERT-base, one after the other."""
    graph, x = Graph(seed), "hidden"
    for number in range(BERT_LAYERS):
        x = _encoder_layer(graph, x, f"layer.{number}.", 17)
    return _encoder_model(graph, "bert_base", x, 17)


def _encoder_model(graph: Graph, name: str, output: str, opset: int) -> ModelProto:
    dimensions = ("batch", "sequence", BERT_HIDDEN)
    return graph.model(name, [tensor("hidden", *dimensions)], [tensor(output, *dimensions)], opset)


def _encoder_layer(graph: Graph, hidden: str, at: str, opset: int) -> str:
    """An encoder layer of BERT-base on `hidden`, whose names begin with `at`: the name of its result."""
    head = BERT_HIDDEN // BERT_HEADS
    split = graph.integers(f"{at}attention.split", 0, 0, BERT_HEADS, head)
    merge = graph.integers(f"{at}attention.merge", 0, 0, BERT_HIDDEN)
    parts = {}
    for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        name = f"{at}attention.{part}"
        x = graph.linear(hidden, name, BERT_HIDDEN, BERT_HIDDEN)
        x = graph.op("Reshape", [x, split], f"{name}/Reshape")
        parts[part] = graph.op("Transpose", [x], f"{name}/Transpose", perm=order)
    x = graph.op("MatMul", [parts["query"], parts["key"]], f"{at}attention/MatMul")
    x = graph.op("Div", [x, graph.scalar(f"{at}attention.scale", sqrt(head))], f"{at}attention/Div")
    x = graph.op("Softmax", [x], f"{at}attention/Softmax", axis=-1)
    x = graph.op("MatMul", [x, parts["value"]], f"{at}attention/MatMul_1")
    x = graph.op("Transpose", [x], f"{at}attention/Transpose", perm=[0, 2, 1, 3])
    x = graph.op("Reshape", [x, merge], f"{at}attention/Reshape")
    x = graph.linear(x, f"{at}attention.output", BERT_HIDDEN, BERT_HIDDEN)
    x = graph.op("Add", [x, hidden], f"{at}attention.output/Add_1")
    attended = graph.layer_norm(x, f"{at}attention.output.LayerNorm", BERT_HIDDEN, opset)
    x = graph.linear(attended, f"{at}intermediate", BERT_HIDDEN, BERT_FEED_FORWARD)
    x = _gelu(graph, x, f"{at}intermediate")
    x = graph.linear(x, f"{at}ffn", BERT_FEED_FORWARD, BERT_HIDDEN)
    x = graph.op("Add", [x, attended], f"{at}ffn/Add_1")
    return graph.layer_norm(x, f"{at}output", BERT_HIDDEN, opset)


def _gelu(graph: Graph, x: str, name: str) -> str:
    """x · (1 + erf(x / √2)) / 2: before opset 20 there is no Gelu."""
    y = graph.op("Div", [x, graph.scalar(f"{name}.sqrt2", sqrt(2))], f"{name}/Div")
    y = graph.op("Erf", [y], f"{name}/Erf")
    y = graph.op("Add", [y, graph.scalar(f"{name}.one", 1.0)], f"{name}/Add_1")
    y = graph.op("Mul", [x, y], f"{name}/Mul")
    return graph.op("Mul", [y, graph.scalar(f"{name}.half", 0.5)], f"{name}/Mul_1")


def gpt2_block(
    seed: int = 0,
    hidden: int = GPT_HIDDEN,
    heads: int = GPT_HEADS,
    positions: int = GPT_POSITIONS,
    vocabulary: int = GPT_VOCABULARY,
) -> ModelProto:
    """A block of GPT-2 (Radford et al. 2019), small, with the head: `embedding` [batch, sequence, hidden] → `logits`
    [batch, sequence, vocabulary].

    Positions are added from a table, the mask is cut out of a constant triangle by the sequence length (Shape, Slice),
    Where puts -10000 for later tokens, Split parts query, key and value, Gelu is the tanh form.
    """
    graph = Graph(seed)
    head = hidden // heads
    for axis in (0, 1):
        graph.integers(f"axis{axis}", axis)
    shape = graph.op("Shape", ["embedding"], "Shape")
    graph.constant("one", np.array(1, np.int64))
    length = graph.op("Gather", [shape, "one"], "Gather", axis=0)
    end = graph.op("Unsqueeze", [length, "axis0"], "Unsqueeze")
    start = graph.integers("start", 0)
    table = weights.normal(seed, "wpe", (positions, hidden), 0.3)
    position = graph.op("Slice", [graph.add(table), start, end, "axis0"], "wpe/Slice")
    x = graph.op("Add", ["embedding", position], "wpe/Add")
    normal = graph.layer_norm(x, "ln_1", hidden)
    qkv = _conv1d(graph, normal, "attn.c_attn", hidden, 3 * hidden)
    sizes = graph.integers("attn.sizes", *[hidden] * 3)
    parts = ["attn/query", "attn/key", "attn/value"]
    graph.split(qkv, sizes, parts, "attn/Split", axis=2)
    split = graph.integers("attn.split", 0, 0, heads, head)
    orders = [0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]
    by_head = []
    for part, order in zip(parts, orders, strict=True):
        y = graph.op("Reshape", [part, split], f"{part}/Reshape")
        by_head.append(graph.op("Transpose", [y], f"{part}/Transpose", perm=order))
    scores = graph.op("MatMul", by_head[:2], "attn/MatMul")
    scores = graph.op("Div", [scores, graph.scalar("attn.scale", sqrt(head))], "attn/Div")
    scores = _causal(graph, scores, start, end, positions)
    shares = graph.op("Softmax", [scores], "attn/Softmax", axis=-1)
    y = graph.op("MatMul", [shares, by_head[2]], "attn/MatMul_1")
    y = graph.op("Transpose", [y], "attn/Transpose", perm=[0, 2, 1, 3])
    y = graph.op("Reshape", [y, graph.integers("attn.merge", 0, 0, hidden)], "attn/Reshape")
    y = _conv1d(graph, y, "attn.c_proj", hidden, hidden)
    x = graph.op("Add", [y, x], "attn/Add")
    y = graph.layer_norm(x, "ln_2", hidden)
    y = _conv1d(graph, y, "mlp.c_fc", hidden, 4 * hidden)
    y = _gelu_tanh(graph, y, "mlp.act")
    y = _conv1d(graph, y, "mlp.c_proj", 4 * hidden, hidden)
    x = graph.op("Add", [x, y], "mlp/Add")
    x = graph.layer_norm(x, "ln_f", hidden)
    tied = weights.normal(seed, "lm_head.weight", (hidden, vocabulary), hidden**-0.5)
    graph.op("MatMul", [x, graph.add(tied)], "logits")
    return graph.model(
        "gpt2_block",
        [tensor("embedding", "batch", "sequence", hidden)],
        [tensor("logits", "batch", "sequence", vocabulary)],
        opset=17,
    )


def gpt2_small(seed: int = 0) -> ModelProto:
    """A block of GPT-2 with the head, in the sizes of GPT-2 small."""
    return gpt2_block(
        seed, GPT2_SMALL_HIDDEN, GPT2_SMALL_HEADS, GPT2_SMALL_POSITIONS, GPT2_SMALL_VOCABULARY
    )


def _conv1d(graph: Graph, x: str, name: str, inputs: int, outputs: int) -> str:
    """GPT-2's linear layer: the tokens of all samples as rows of one Gemm, then back to the shape that Shape gives."""
    rows = graph.op("Reshape", [x, graph.integers(f"{name}.rows", -1, inputs)], f"{name}/Reshape")
    weight = graph.add(
        weights.normal(graph.seed, f"{name}.weight", (inputs, outputs), inputs**-0.5)
    )
    bias = graph.add(weights.bias(graph.seed, f"{name}.bias", (outputs,)))
    y = graph.op("Gemm", [rows, weight, bias], f"{name}/Gemm")
    shape = graph.op("Shape", [x], f"{name}/Shape")
    lead = graph.op(
        "Slice",
        [shape, graph.integers(f"{name}.first", 0), graph.integers(f"{name}.last", -1)],
        f"{name}/Slice",
    )
    size = graph.integers(f"{name}.outputs", outputs)
    target = graph.op("Concat", [lead, size], f"{name}/Concat", axis=0)
    return graph.op("Reshape", [y, target], f"{name}/Reshape_1")


def _causal(graph: Graph, scores: str, start: str, end: str, positions: int) -> str:
    """Where(triangle[..., :sequence, :sequence], scores, -10000)."""
    triangle = np.tril(np.ones((1, 1, positions, positions), np.bool_))
    mask = graph.constant("attn.bias", triangle)
    for index, axis in enumerate((2, 3)):
        axes = graph.integers(f"attn.axis{axis}", axis)
        mask = graph.op("Slice", [mask, start, end, axes], f"attn/Slice_{index}")
    masked = graph.scalar("attn.masked_bias", _MASKED)
    return graph.op("Where", [mask, scores, masked], "attn/Where")


def _gelu_tanh(graph: Graph, x: str, name: str) -> str:
    """x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))): GPT-2's own form of Gelu."""
    half = graph.op("Mul", [x, graph.scalar(f"{name}.half", 0.5)], f"{name}/Mul")
    y = graph.op("Pow", [x, graph.scalar(f"{name}.three", 3.0)], f"{name}/Pow")
    y = graph.op("Mul", [y, graph.scalar(f"{name}.cubic", 0.044715)], f"{name}/Mul_1")
    y = graph.op("Add", [x, y], f"{name}/Add")
    y = graph.op("Mul", [y, graph.scalar(f"{name}.root", sqrt(2 / np.pi))], f"{name}/Mul_2")
    y = graph.op("Tanh", [y], f"{name}/Tanh")
    y = graph.op("Add", [y, graph.scalar(f"{name}.one", 1.0)], f"{name}/Add_1")
    return graph.op("Mul", [half, y], f"{name}/Mul_3")
