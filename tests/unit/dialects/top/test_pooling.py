"""Pools of slices give what the pools of the whole image give, to the bit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smalti.backends.interpreter.top import run_top
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.dialects.top import pooling
from xdsl.pattern_rewriter import PatternRewriteWalker

PAIR = st.tuples(st.integers(1, 6), st.integers(1, 6))


@pytest.fixture(scope="module", autouse=True)
def _narrow_windows_too():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooling, "_WIDE_PIXELS", 1)
        yield


@given(
    op=st.sampled_from(['max_pool "y" %x', 'avg_pool "y" %x', 'avg_pool "y" %x count_include_pad']),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    distance=PAIR,
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    data=st.data(),
)
@settings(max_examples=100)
def test_pool_of_slice(op, size, kernel, distance, stride, dilation, data):
    strides = [a * b for a, b in zip(distance, stride, strict=True)]
    dilations = [a * b for a, b in zip(distance, dilation, strict=True)]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads = [data.draw(st.integers(0, spans[index % 2] - 1)) for index in range(4)]
    output = [
        (size[i] + pads[i] + pads[2 + i] - spans[i]) // strides[i] + 1
        for i in range(2)
        if size[i] + pads[i] + pads[2 + i] >= spans[i]
    ]
    assume(len(output) == 2)
    given, made = (f"tensor<1x2x{h}x{w}xf32>" for h, w in (size, output))
    window = f"kernel = {[*kernel]} strides = {strides} pads = {pads} dilations = {dilations}"
    text = f"func.func @main(%x: {given}) -> {made} attributes"
    text += ' {smalti.inputs = ["x"], smalti.outputs = ["y"]} {\n'
    text += f"  %y = top.{op} {window} : ({given}) -> {made}\n  func.return %y : {made}\n}}\n"
    ctx = make_context()
    module = parse_module(text, ctx, "pool")
    x = np.random.default_rng(1).normal(size=(1, 2, *size)).astype(np.float32)
    with np.errstate(all="ignore"):
        expected = run_top(module, ctx.weights, {"x": x})["y"]
        PatternRewriteWalker(pooling.PoolOfSlice()).rewrite_module(module)
        module.verify()
        found = run_top(module, ctx.weights, {"x": x})["y"]
    np.testing.assert_array_equal(found, expected)
