"""Splitting and tiling change nothing: single ops of every kind, on machines with little memory,
give the tpu interpreter's numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.normalization import KINDS as NORMALIZATIONS
from smalti.backends.numerics.reduction import INTEGER_KINDS, KINDS, SELECTING_KINDS
from smalti.dialects import tpu
from smalti.dialects.quant import uniform
from xdsl.dialects.builtin import f32, i32
from xdsl.ir import SSAValue

from .random_network import Network, check

SETTINGS = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TINY = """
name = "tiny"
description = "a machine so small that everything is tiled"
cores = 4
clock_ghz = 1.0
[matrix]
rows = 8
columns = 8
dataflow = "weight_stationary"
overlap = true
macs_per_cycle = { i8 = 1.0, f32 = 0.25 }
accumulator_bytes = 2048
[vector]
lanes = { i8 = 8, i32 = 4, f32 = 4, i64 = 2 }
lane_group = 4
startup_cycles = 2
[local_memory]
size_bytes = 6144
banks = 1
bytes_per_cycle = 16
[dma]
queues = 1
outstanding = 2
issue_cycles = 4
[global_memory]
size_bytes = 16777216
gigabytes_per_second = 16
latency_cycles = 20
burst_bytes = 16
[interconnect]
gigabytes_per_second = 8
latency_cycles = 1
multicast = false
[energy]
mac_picojoules = { i8 = 0.1 }
vector_operation_picojoules = 0.5
local_byte_picojoules = 1.6
accumulator_byte_picojoules = 1.0
global_byte_picojoules = 160
interconnect_byte_picojoules = 6
static_watts = 0.05
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a target with hardly any memory; return its path."""
    path = tmp_path_factory.mktemp("targets") / "tiny.toml"
    path.write_text(TINY)
    return str(path)


seeds = st.integers(0, 2**32 - 1)
kinds = st.booleans()
cores = st.integers(1, 4)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, int]:
    """Draw an empty network of integers or floats, and a number of cores."""
    network = Network(draw(kinds), np.random.default_rng(draw(seeds)))
    return network, draw(cores)


def sizes(low: int, high: int) -> st.SearchStrategy[int]:
    """Return a strategy for a size."""
    return st.integers(low, high)


@SETTINGS
@given(networks(), st.data())
def test_convolution(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    groups = draw(st.sampled_from([1, 1, 2, 3, 6]))
    per_in, per_out = draw(sizes(1, 5)), draw(sizes(1, 5))
    if draw(st.booleans()):
        per_in, groups = 1, draw(sizes(2, 20))
    height, width = draw(sizes(1, 12)), draw(sizes(1, 12))
    kernel = (draw(sizes(1, 3)), draw(sizes(1, 3)))
    strides = (draw(sizes(1, 3)), draw(sizes(1, 3)))
    dilations = (draw(sizes(1, 2)), draw(sizes(1, 2)))
    pads = [draw(sizes(0, 3)) for _ in range(4)]
    for axis, size in enumerate((height, width)):
        missing = (kernel[axis] - 1) * dilations[axis] + 1 - size - pads[axis] - pads[2 + axis]
        pads[axis] += max(0, missing)
    x = network.input(draw(sizes(1, 2)), groups * per_in, height, width)
    w = network.parameters(groups * per_out, per_in, *kernel)
    options: dict[str, Any] = {
        "strides": strides, "pads": pads, "dilations": dilations, "groups": groups,
        "accumulator": draw(st.sampled_from(["i32", "i64"])) if network.quantized else "f32",
    }  # fmt: skip
    bias = network.bias(groups * per_out) if draw(st.booleans()) else None
    element = network.element()
    plain = tpu.Conv2dOp("shape", x, w, bias, element=element, **options)
    residual = network.input(*plain.output.type.get_shape()) if draw(st.booleans()) else None
    high = draw(st.sampled_from([None, 1.5]))
    result = network.add(
        tpu.Conv2dOp("conv", x, w, bias, residual, element=element, clamp_high=high, **options)
    )
    plain.erase()
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_product_with_weights(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    lead = [draw(sizes(1, 3)) for _ in range(draw(sizes(0, 2)))]
    rows = [draw(sizes(1, 20))] if lead or draw(st.booleans()) else []
    depth = draw(sizes(1, 60))
    if network.quantized and draw(st.booleans()):
        depth = draw(sizes(800, 2000))
    columns = draw(sizes(1, 40))
    x = network.input(*lead, *rows, depth)
    w = network.parameters(depth, columns, axis=1)
    bias = network.bias(columns) if draw(st.booleans()) else None
    element = network.element()
    shape = (*lead, *rows, columns)
    residual = network.input(*shape) if draw(st.booleans()) else None
    result = network.add(tpu.MatmulOp("product", x, w, bias, residual, element=element))
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_product_of_activations(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    lead = [draw(sizes(1, 3)) for _ in range(draw(sizes(0, 2)))]
    depth = draw(sizes(1, 24))
    left = [size if draw(st.booleans()) else 1 for size in lead]
    right = [size if left[i] == 1 or draw(st.booleans()) else 1 for i, size in enumerate(lead)]
    a = network.input(*left, *([draw(sizes(1, 20))] if lead or draw(st.booleans()) else []), depth)
    columns = [draw(sizes(1, 20))] if lead or draw(st.booleans()) else []
    if columns and draw(st.booleans()):
        # A right-hand side that lies in memory the other way round.
        moved = network.input(*right, *columns, depth)
        order = [*range(len(right)), len(right) + 1, len(right)]
        b = network.add(tpu.TransposeOp("moved", moved, permutation=order))
    else:
        b = network.input(*right, depth, *columns)
    result = network.add(tpu.MatmulOp("product", a, b, element=network.element()))
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_binary(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = [draw(sizes(1, 6)) for _ in range(draw(sizes(1, 6)))]

    def operand() -> SSAValue:
        own = [size if draw(st.booleans()) else 1 for size in shape]
        own = own[draw(sizes(0, len(own) - 1)) :] if draw(st.booleans()) else own
        if draw(st.booleans()):
            return network.input(*own)
        if network.quantized:
            values = network.rng.integers(-128, 128, own).astype(np.int8)
            return network.weight(values, network.element())
        return network.weight(1.0 + network.rng.random(own).astype(np.float32), f32)

    a = network.input(*shape) if draw(st.booleans()) else operand()
    b = operand()
    if not network.inputs:
        a = network.input(*shape)
    floats = [] if network.quantized else [tpu.SubOp, tpu.DivOp]
    kind = draw(st.sampled_from([tpu.AddOp, tpu.MulOp, *floats]))
    if kind is tpu.DivOp:
        b = network.weight(1.0 + network.rng.random(shape).astype(np.float32), f32)
    result = network.add(kind("binary", a, b, element=network.element(), clamp_low=-3.0))
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_convert(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    x = network.input(*[draw(sizes(1, 9)) for _ in range(draw(sizes(0, 5)))])
    if network.quantized and draw(st.booleans()):
        result = network.add(tpu.RequantizeOp("r", x, element=network.element()))
    elif network.quantized:
        result = network.add(tpu.CastOp("real", x, element=f32))
    else:
        result = network.add(tpu.CastOp("quantized", x, element=uniform("i8", 0.05, 3)))
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_pool(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    height, width = draw(sizes(3, 14)), draw(sizes(3, 14))
    kernel = (draw(sizes(1, 3)), draw(sizes(1, 3)))
    options: dict[str, Any] = {
        "kernel": kernel,
        "strides": (draw(sizes(1, 3)), draw(sizes(1, 3))),
        "pads": [draw(sizes(0, kernel[i % 2] - 1)) for i in range(4)],
        "ceil_mode": draw(st.booleans()),
    }
    x = network.input(draw(sizes(1, 2)), draw(sizes(1, 20)), height, width)
    if draw(st.booleans()):
        result = network.add(tpu.MaxPoolOp("max", x, **options))
    else:
        include = draw(st.booleans())
        result = network.add(
            tpu.AvgPoolOp(
                "mean", x, element=network.element(), count_include_pad=include, **options
            )
        )
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_reduce(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    rank = draw(sizes(1, 5))
    # All of what is reduced must fit the local memory.
    x = network.input(*[draw(sizes(1, 7 if rank < 4 else 4)) for _ in range(rank)])
    axes = sorted(draw(st.sets(sizes(0, rank - 1), min_size=1)))
    keepdims = draw(st.booleans())
    kind = draw(st.sampled_from(INTEGER_KINDS if network.quantized else KINDS))
    element = None if kind in SELECTING_KINDS else network.element()
    op = tpu.ReduceOp("r", x, kind=kind, axes=axes, keepdims=keepdims, element=element)
    check(network, network.add(op), tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_resample(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = [draw(sizes(1, 8)) for _ in range(draw(sizes(1, 4)))]
    axis = draw(sizes(0, len(shape) - 1))
    out, taps = draw(sizes(1, 9)), 1 if network.quantized else draw(sizes(1, 3))
    x = network.input(*shape)
    index = network.weight(network.rng.integers(0, shape[axis], (out, taps)).astype(np.int32), i32)
    weight = None
    if not network.quantized:
        weight = network.weight(network.rng.random((out, taps)).astype(np.float32), f32)
    result = network.add(tpu.ResampleOp("resample", x, index, weight, axis=axis))
    check(network, result, tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_relayout(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    factors = [draw(sizes(1, 5)) for _ in range(draw(sizes(1, 5)))]

    def shape() -> list[int]:
        order = draw(st.permutations(factors))
        grouped: list[int] = []
        for factor in order:
            if grouped and draw(st.booleans()):
                grouped[-1] *= factor
            else:
                grouped.append(factor)
        return grouped

    x = network.input(*shape())
    x = network.add(tpu.ReshapeOp("reshaped", x, shape=shape()))
    rank = len(x.type.get_shape())  # pyright: ignore[reportAttributeAccessIssue]
    order = draw(st.permutations(range(rank)))
    x = network.add(tpu.TransposeOp("moved", x, permutation=order))
    x = network.add(tpu.ReshapeOp("reshaped_back", x, shape=shape()))
    check(network, x, tiny, count)


@SETTINGS
@given(st.data(), seeds, cores)
def test_normalize(tiny: str, data: st.DataObject, seed: int, count: int) -> None:
    network, draw = Network(False, np.random.default_rng(seed)), data.draw
    # All of what is normalized must fit the local memory.
    rank = draw(sizes(1, 5))
    shape = [draw(sizes(1, (6, 6, 6, 4, 3)[rank - 1])) for _ in range(rank)]
    axes = sorted(draw(st.sets(sizes(0, len(shape) - 1), min_size=1)))
    parameters: list[SSAValue | None] = []
    for _ in range(2):
        own = [draw(st.sampled_from((1, size))) for size in shape]
        parameters.append(network.parameters(*own) if draw(st.booleans()) else None)
    kind = draw(st.sampled_from(NORMALIZATIONS))
    x = network.input(*shape)
    if len(shape) == 4 and draw(st.booleans()):
        # Between pools the layout is that of images.
        x = network.add(tpu.MaxPoolOp("before", x, kernel=(1, 1)))
    op = tpu.NormalizeOp("n", x, *parameters, kind=kind, axes=axes, epsilon=1e-5)
    result = network.add(op)
    check(network, network.add(tpu.AddOp("sum", result, result)), tiny, count)


@SETTINGS
@given(st.data(), seeds, cores)
def test_local_response_norm(tiny: str, data: st.DataObject, seed: int, count: int) -> None:
    network, draw = Network(False, np.random.default_rng(seed)), data.draw
    x = network.input(*[draw(sizes(1, 9)) for _ in range(draw(sizes(2, 4)))])
    size = draw(sizes(1, 7))
    op = tpu.LocalResponseNormOp("n", x, size=size, alpha=0.3, beta=0.75, offset=1.0)
    check(network, network.add(op), tiny, count)


@SETTINGS
@given(st.data(), seeds, cores)
def test_softmax(tiny: str, data: st.DataObject, seed: int, count: int) -> None:
    network = Network(False, np.random.default_rng(seed))
    shape = [data.draw(sizes(1, 7)) for _ in range(data.draw(sizes(1, 4)))]
    axis = data.draw(sizes(0, len(shape) - 1))
    result = network.add(
        tpu.SoftmaxOp("softmax", network.input(*shape), axis=axis, log=data.draw(st.booleans()))
    )
    check(network, result, tiny, count)
