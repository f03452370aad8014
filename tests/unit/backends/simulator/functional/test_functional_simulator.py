"""Values of small programs, against NumPy's indexing and arithmetic."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.instruction_set import SEGMENTS
from smalti.backends.numerics.device import packing
from smalti.backends.program.program import Port
from smalti.backends.simulator.functional import functional_simulator
from smalti.backends.simulator.functional.functional_simulator import (
    FunctionalSimulator,
    Stretch,
)
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.stream_builder import Builder


def copier(shape: tuple[int, ...] = (2, 32), storage: str = "f32") -> Builder:
    """y = x through local memory and the vector engine."""
    build = Builder()
    port = Port("x", shape, storage, 64)
    build.inputs = [port]
    build.outputs = [Port("y", shape, storage, 128)]
    build.load(0, port.size, src=64, dst=256)
    build.copy_rows(0, 256, 4096, columns=port.size // 4, wait_dma_in=1)
    build.store(0, port.size, src=4096, dst=128, wait_vector=1)
    return build


def run(build: Builder, inputs: dict, weights=None, sanitize: bool = True) -> dict:
    outputs = simulate(build.program(weights), inputs, sanitize=sanitize).outputs
    assert outputs is not None
    return outputs


def test_values_go_through():
    x = np.random.default_rng(0).normal(size=(2, 32)).astype(np.float32)
    y = run(copier(), {"x": x})["y"]
    assert y.dtype == np.float32 and np.array_equal(y, x)


def test_bytes_of_any_memory_before_an_instruction():
    """The copy of the vector engine reads what the load wrote, and nothing stands yet where it writes."""
    simulator = FunctionalSimulator(copier().program())
    x = np.random.default_rng(0).normal(size=(2 * 3, 32)).astype(np.float32)
    size = x.nbytes // 3
    wanted = [
        (1, Stretch("local", 0, 256, 256 + size)),
        (1, Stretch("local", 0, 4096, 4096 + size)),
        (0, Stretch("local", 0, 256, 256 + size)),
        (2, Stretch("local", 0, 4096 + 4, 4096 + 8)),
        (0, Stretch("global", SEGMENTS.index("input"), 64, 64 + size)),
    ]
    seen = simulator.bytes_before({"x": x}, wanted)
    rows = x.reshape(3, -1).view(np.uint8)
    expected = [rows, np.zeros_like(rows), np.zeros_like(rows), rows[:, 4:8], rows]
    assert len(seen) == len(expected)
    for found, right in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_samples_run_together_and_in_chunks(monkeypatch: pytest.MonkeyPatch):
    build = copier()
    build.target = small_target()
    simulator = FunctionalSimulator(build.program())
    x = np.random.default_rng(1).normal(size=(2 * 7, 32)).astype(np.float32)
    assert np.array_equal(simulator.run({"x": x})["y"], x)
    steps: list[tuple[int, int]] = []
    size = sum(build.segments.values()) - build.segments["weights"] + 2 * 65536
    monkeypatch.setattr(functional_simulator, "CHUNK_BYTES", 3 * size)
    assert np.array_equal(simulator.run({"x": x}, lambda *at: steps.append(at))["y"], x)
    assert steps == [(3, 7), (6, 7), (7, 7)]


def small_target() -> Target:
    table = json.loads(load_target("default-8c").to_json())
    table["local_memory"]["size_bytes"] = table["matrix"]["accumulator_bytes"] = 65536
    return Target.from_json(json.dumps(table))


@pytest.mark.parametrize(
    "inputs, said",
    [
        ({}, "input 'x' is missing"),
        ({"x": np.zeros((2, 32), np.float32), "z": np.zeros(1)}, "no input 'z'"),
        ({"x": np.zeros((2, 31), np.float32)}, "shape [2, 31], expected [2, 32]"),
        ({"x": np.zeros((3, 32), np.float32)}, "shape [3, 32], expected [2, 32]"),
        ({"x": np.zeros((0, 32), np.float32)}, "shape [0, 32]"),
        ({"x": np.zeros((2, 32), np.complex64)}, "type complex64, expected float32"),
        ({"x": np.full((2, 32), "a")}, "type <U1"),
    ],
)
def test_inputs_that_do_not_fit(inputs: dict, said: str):
    with pytest.raises(DiagnosticError) as caught:
        run(copier(), inputs)
    assert said in str(caught.value)


def test_inputs_of_another_type():
    x = np.arange(64.0).reshape(2, 32)
    assert np.array_equal(run(copier(), {"x": x})["y"], x)
    build = copier((64,), "i32")
    assert np.array_equal(run(build, {"x": np.arange(64)})["y"], np.arange(64))
    with pytest.raises(DiagnosticError, match="type int64, expected int32"):
        run(build, {"x": np.full(64, 2**40)})
    with pytest.raises(DiagnosticError, match="type float64"):
        run(build, {"x": np.full(64, 0.5)})


def test_all_inputs_hold_as_many_samples():
    build = copier()
    build.inputs.append(Port("b", (1,), "f32", 4096))
    with pytest.raises(DiagnosticError, match="different numbers of samples"):
        run(build, {"x": np.zeros((4, 32), np.float32), "b": np.zeros(1, np.float32)})


@settings(max_examples=40)
@given(
    st.tuples(*[st.integers(1, 4)] * 4),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(1, 3),
    st.permutations(range(4)),
)
def test_a_load_permutes_and_pads_as_numpy_does(counts, run_bytes, pad, samples, order):
    """Source: dense over counts and runs. Destination: the axes in another order, each run with its
    padding.
    """
    total = int(np.prod(counts)) * run_bytes
    src, dst, step = {}, {}, run_bytes
    for d in reversed(range(4)):
        src[f"src_stride{d}"], step = step, step * counts[d]
    step = run_bytes + pad
    for d in reversed(order):
        dst[f"dst_stride{d}"], step = step, step * counts[d]
    build = Builder(input=4096, output=4096, scratch=64, weights=64, target=small_target())
    build.inputs = [Port("x", (1, total), "u8", 3)]
    build.outputs = [Port("y", (1, step), "u8", 1)]
    sizes = {f"count{d}": counts[d] for d in range(4)}
    build.load(0, run_bytes, src=3, dst=5, pad=pad, fill=200, **sizes, **src, **dst)
    build.store(0, step, src=5, dst=1, wait_dma_in=1)
    x = np.random.default_rng(0).integers(0, 256, (samples, total), dtype=np.uint8)
    expected = np.pad(
        x.reshape(samples, *counts, run_bytes), [(0, 0)] * 5 + [(0, pad)], constant_values=200
    )
    expected = expected.transpose(0, *[1 + d for d in order], 5).reshape(samples, step)
    assert np.array_equal(run(build, {"x": x})["y"], expected)


def test_a_row_is_repeated_and_reversed():
    build = Builder()
    build.inputs, build.outputs = [Port("x", (8,), "u8", 0)], [Port("y", (4, 8), "u8", 0)]
    build.load(
        0,
        1,
        src=7,
        dst=0,
        count0=8,
        src_stride0=-1,
        dst_stride0=1,
        count1=4,
        src_stride1=0,
        dst_stride1=8,
    )
    build.store(0, 32, wait_dma_in=1)
    x = np.arange(8, dtype=np.uint8)
    assert np.array_equal(run(build, {"x": x})["y"], np.tile(x[::-1], (4, 1)))


def test_a_convolution_with_its_epilogue():
    """int8 convolution of several samples: weights and table shared, against int64 arithmetic."""
    rng = np.random.default_rng(2)
    w = rng.integers(-127, 128, (3, 3, 16, 16)).astype(np.int8)
    packed = np.ascontiguousarray(packing.pack_conv_weights(w, 16))
    table = np.zeros((3, 16), np.int32)
    table[0] = rng.integers(-1000, 1000, 16)
    table[1], table[2] = 1 << 30, 30 + 9
    weights = np.concatenate([packed.reshape(-1).view(np.uint8), table.reshape(-1).view(np.uint8)])
    build = Builder(weights=weights.size)
    build.inputs, build.outputs = (
        [Port("x", (1, 8, 8, 16), "i8", 0)],
        [Port("y", (1, 8, 8, 16), "i8", 0)],
    )
    build.load(0, weights.size, dst=4096, segment="weights")
    build.load(0, 1024, dst=0)
    build.add(
        0,
        "conv2d",
        x=0,
        w=4096,
        acc=64,
        type="i8",
        acc_type="i32",
        in_height=8,
        in_width=8,
        in_channels=16,
        in_pitch=16,
        out_height=8,
        out_width=8,
        out_channels=16,
        out_pitch=16,
        kernel_height=3,
        kernel_width=3,
        pad_top=1,
        pad_left=1,
        pad_value=5,
        block=16,
        wait_dma_in=2,
    )
    build.add(
        0,
        "epilogue",
        acc=64,
        out=32768,
        table=4096 + packed.nbytes,
        acc_type="i32",
        type="i8",
        rows=64,
        channels=16,
        acc_pitch=16,
        out_pitch=16,
        table_pitch=16,
        zero_point=-3,
        wait_matrix=1,
    )
    build.store(0, 1024, src=32768, wait_vector=1)
    x = rng.integers(-128, 128, (5, 8, 8, 16)).astype(np.int8)
    got = run(build, {"x": x}, weights)["y"]
    padded = np.pad(x.astype(np.int64), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=5)
    acc = sum(
        padded[:, i : i + 8, j : j + 8] @ w[i, j].astype(np.int64)
        for i in range(3)
        for j in range(3)
    )
    expected = np.clip(np.round((acc + table[0]) / 512) - 3, -128, 127)
    assert np.array_equal(got, expected)
    one = [run(build, {"x": x[i : i + 1]}, weights, sanitize=False)["y"] for i in range(5)]
    assert np.array_equal(np.concatenate(one), got)


def test_a_product_of_two_activations_and_accumulation():
    build = Builder()
    build.inputs = [Port("a", (4, 8), "f32", 0), Port("b", (8, 16), "f32", 128)]
    build.outputs = [Port("y", (4, 16), "f32", 0)]
    build.load(0, 128)
    build.load(0, 512, src=128, dst=0x10000)
    fields = {"m": 4, "k": 8, "n": 16, "type": "f32", "acc_type": "f32", "wait_dma_in": 2}
    build.matmul(0, **fields)
    build.matmul(0, accumulate=1, **fields)
    build.add(0, "fill", dst=0x20000, count=16, type="f32", value=1.5)
    build.add(
        0,
        "epilogue",
        acc=0,
        out=0x30000,
        table=0x20000,
        acc_type="f32",
        type="f32",
        rows=4,
        channels=16,
        acc_pitch=16,
        out_pitch=16,
        table_pitch=16,
        wait_matrix=2,
        wait_dma_in=3,
    )
    build.store(0, 256, src=0x30000, wait_vector=1)
    rng = np.random.default_rng(3)
    a, b = (
        rng.normal(size=(3 * 4, 8)).astype(np.float32),
        rng.normal(size=(3 * 8, 16)).astype(np.float32),
    )
    got = run(build, {"a": a, "b": b})["y"]
    expected = 2 * np.matmul(a.reshape(3, 4, 8), b.reshape(3, 8, 16)) + 1.5
    np.testing.assert_allclose(got, expected.reshape(12, 16), rtol=1e-5, atol=1e-5)


def test_two_operands_at_one_address():
    """x + column of x: the same address read with two different extents."""
    build = Builder()
    build.inputs, build.outputs = [Port("x", (4, 8), "f32", 0)], [Port("y", (4, 8), "f32", 0)]
    build.load(0, 128)
    build.add(
        0,
        "binary",
        kind="add",
        type="f32",
        a=0,
        b=0,
        out=4096,
        size2=4,
        size3=8,
        a_stride2=8,
        a_stride3=1,
        b_stride2=8,
        wait_dma_in=1,
    )
    build.store(0, 128, src=4096, wait_vector=1)
    x = np.arange(32, dtype=np.float32).reshape(4, 8)
    assert np.array_equal(run(build, {"x": x})["y"], x + x[:, :1])


def test_cores_hand_data_to_each_other():
    """Core 1 reads core 0's memory; core 0 pushes a copy into core 2's; all three store."""
    build = Builder(cores=3)
    build.inputs, build.outputs = [Port("x", (64,), "u8", 0)], [Port("y", (3, 64), "u8", 0)]
    build.load(0, 64, signal_counter=1, signal_cores=0b010)
    build.store(0, 64, wait_dma_in=1)
    peer = {"src_space": "local", "dst_space": "local", "run": 64, "src": 0}
    build.add(1, "load", peer_core=1, dst=128, wait_counter=1, wait_value=1, **peer)
    build.store(1, 64, src=128, dst=64, wait_dma_in=1)
    build.add(
        0,
        "store",
        peer_core=3,
        dst=192,
        signal_counter=0,
        signal_cores=0b100,
        wait_dma_in=1,
        **peer,
    )
    build.store(2, 64, src=192, dst=128, wait_counter=0, wait_value=1)
    x = np.arange(64, dtype=np.uint8)
    assert np.array_equal(run(build, {"x": x})["y"], np.stack([x, x, x]))


def test_a_multicast_reaches_every_member():
    build = Builder(cores=3)
    build.inputs, build.outputs = [Port("x", (64,), "u8", 0)], [Port("y", (3, 64), "u8", 0)]
    for core in range(3):
        build.load(core, 64, dst=64 * core, group=9)
        build.store(core, 64, src=64 * core, dst=64 * core, wait_dma_in=1)
    x = np.arange(64, dtype=np.uint8)
    assert np.array_equal(run(build, {"x": x})["y"], np.stack([x, x, x]))


def test_functional_deadlock_and_bad_operands_are_diagnostics():
    build = Builder(cores=2)
    build.copy_rows(0, 0, 4096, wait_matrix=1)
    build.matmul(0, wait_vector=1)
    with pytest.raises(DiagnosticError, match="deadlock"):
        run(build, {}, sanitize=False)
    build = Builder()
    build.add(0, "binary", kind="div", type="i8", a=0, b=0, out=64, node="Div_3")
    with pytest.raises(DiagnosticError, match=r"'Div_3'\) cannot be executed: .*div"):
        run(build, {}, sanitize=False)
    with pytest.raises(DiagnosticError, match="unknown mode 'fast'"):
        simulate(build.program(), {}, mode="fast")  # type: ignore[arg-type]


def test_both_modes_at_once():
    result = simulate(copier().program(), {"x": np.ones((2, 32), np.float32)}, mode="both")
    assert result.outputs is not None and result.timing is not None and result.timing.cycles > 400
