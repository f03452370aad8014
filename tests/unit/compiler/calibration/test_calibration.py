"""Calibration: data in every form and what is wrong with them, ranges against ONNX Runtime's
values, tables.
"""

import tracemalloc

import numpy as np
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter import function as network
from smalti.compiler.calibration.clipping.method import METHODS, method_named
from smalti.compiler.calibration.ranges import calibrate, calibration_table, collect_statistics
from smalti.compiler.calibration.sample_source import ArraySamples
from smalti.compiler.calibration.samples import calibration_samples, load_calibration_data

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input


@pytest.fixture
def small():
    """A module of y = relu(x) + 1 for x [2, 3]."""
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Add", ["r", "c"], ["y"])]
    return imported(model_of(nodes, {"x": (2, 3)}, constants={"c": np.ones(3, np.float32)}))


@pytest.fixture
def two_inputs():
    """A module with the inputs a [2] and b [1]."""
    return imported(model_of([helper.make_node("Add", ["a", "b"], ["y"])], {"a": (2,), "b": (1,)}))


def test_ranges_are_those_of_every_value(digits_model):
    module, ctx = imported(digits_model)
    data = load_calibration_data({"image": random_input(6, 1, 8, 8)}, module)
    ranges = calibrate(module, ctx.weights, data)
    reference = run_onnx(digits_model, data, intermediates=True) | data
    compared = [name for name in ranges if name in reference]
    assert len(compared) > 70
    for name in compared:
        value = reference[name]
        np.testing.assert_allclose(ranges[name], (value.min(), value.max()), rtol=1e-3, atol=1e-4)


def test_chunks_give_the_same_ranges(small, monkeypatch):
    module, ctx = small
    data = {"x": random_input(14, 3)}
    whole = calibrate(module, ctx.weights, data)
    monkeypatch.setattr(network, "MAX_LIVE_BYTES", 500)
    seen = []
    parts = calibrate(
        module, ctx.weights, data, progress=lambda what, done, total: seen.append((done, total))
    )
    assert parts == whole
    assert len(seen) > 2
    assert seen[0] == (0, 7)
    assert seen[-1] == (7, 7)
    x = data["x"]
    assert whole["x"] == (float(x.min()), float(x.max()))
    assert whole["y"] == (1.0, float(np.float32(x.max()) + 1))


def test_forms_of_data(tmp_path, small, two_inputs):
    module, _ = small
    pixels = np.arange(12, dtype=np.uint8).reshape(4, 3)
    path = tmp_path / "data.npz"
    for arrays in ({"x": pixels, "labels": np.zeros(4)}, {"anything": pixels}):
        np.savez(path, **arrays)
        data = load_calibration_data(path, module)
        assert data["x"].dtype == np.float32
        np.testing.assert_array_equal(data["x"], pixels)
    random = load_calibration_data("random:3", module)
    np.testing.assert_array_equal(random["x"], load_calibration_data("random:3", module)["x"])
    assert random["x"].shape == (16, 3)
    assert not np.array_equal(random["x"], load_calibration_data("random:4", module)["x"])
    both = load_calibration_data({"a": np.zeros(6), "b": np.zeros(3)}, two_inputs[0])
    assert set(both) == {"a", "b"}


@pytest.mark.parametrize(
    ("arrays", "part"),
    [
        ({"z": np.zeros((2, 3)), "w": np.zeros(1)}, "no array for input 'x'"),
        ({"x": np.zeros((2, 4))}, "shape [2, 4], expected [2, 3]"),
        ({"x": np.zeros((3, 3))}, "shape [3, 3]"),
        ({"x": np.zeros((0, 3))}, "shape [0, 3]"),
        ({"x": np.zeros(6)}, "shape [6]"),
        ({"x": np.array([[0, 1, np.nan], [0, 0, 0]])}, "NaN or infinity, first at [0, 2]"),
        ({"x": np.array([[0, 1, 2], [np.inf, 0, 0]])}, "first at [1, 0]"),
        ({"x": np.full((2, 3), 1e300)}, "NaN or infinity"),
        ({"x": np.full((2, 3), "a")}, "type"),
        ({"x": np.zeros((2, 3), np.complex64)}, "complex64"),
    ],
)
def test_wrong_data(tmp_path, small, arrays, part):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(DiagnosticError) as caught:
        load_calibration_data(path, small[0])
    assert part in str(caught.value)
    assert "data.npz" in str(caught.value)


def test_wrong_sources(tmp_path, small, two_inputs):
    module, _ = small
    (tmp_path / "garbage.npz").write_bytes(b"PK not really")
    for source, part in [
        (tmp_path / "none.npz", "none.npz"),
        (tmp_path / "garbage.npz", "garbage.npz"),
        ("random:", "seed"),
        ("random:x", "seed"),
        ({}, "no data for input 'x'"),
    ]:
        with pytest.raises(DiagnosticError) as caught:
            load_calibration_data(source, module)
        assert part in str(caught.value)
    with pytest.raises(DiagnosticError, match="different numbers of samples: 'a': 3, 'b': 2"):
        load_calibration_data({"a": np.zeros(6), "b": np.zeros(2)}, two_inputs[0])


def test_overflow_in_the_network_is_named():
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("Relu", ["square"], ["y"]),
    ]
    module, ctx = imported(model_of(nodes, {"x": (1,)}))
    with pytest.raises(DiagnosticError, match="'square' becomes NaN or infinite"):
        calibrate(module, ctx.weights, {"x": np.array([3e30], np.float32)})


def test_masked_scores_have_the_range_of_the_others():
    """What a mask makes infinite for a softmax alone widens nothing; elsewhere it is an error."""
    mask = np.array([0, -np.inf, 0], np.float32)
    nodes = [
        helper.make_node("Add", ["x", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["y"]),
    ]
    module, ctx = imported(model_of(nodes, {"x": (1, 3)}, constants={"mask": mask}))
    x = np.array([[1, 2, 3], [-5, 9, 0]], np.float32)
    assert calibrate(module, ctx.weights, {"x": x})["masked"] == (-5, 3)
    nodes[1] = helper.make_node("Relu", ["masked"], ["y"])
    module, ctx = imported(model_of(nodes, {"x": (1, 3)}, constants={"mask": mask}))
    with pytest.raises(DiagnosticError, match="'masked' becomes NaN or infinite"):
        calibrate(module, ctx.weights, {"x": x})


def test_bools_have_no_range():
    nodes = [
        helper.make_node("Less", ["x", "one"], ["small"]),
        helper.make_node("Where", ["small", "x", "one"], ["y"]),
    ]
    constants = {"one": np.float32(1)}
    module, ctx = imported(model_of(nodes, {"x": (1, 3)}, constants=constants))
    ranges = calibrate(module, ctx.weights, {"x": np.array([[1, 2, -3]], np.float32)})
    assert ranges == {"x": (-3, 2), "y": (-3, 1)}


@pytest.mark.parametrize("name", [name.replace("P", "90") for name in METHODS])
def test_probabilities_keep_their_range(name):
    """No method that takes rare numbers for outliers cuts off what an op bounds; what it bounds is told in the row."""
    nodes = [
        helper.make_node("Sigmoid", ["x"], ["s"]),
        helper.make_node("Transpose", ["s"], ["moved"], perm=[1, 0]),
        helper.make_node("Mul", ["moved", "moved"], ["product"]),
        helper.make_node("Softmax", ["product"], ["y"], axis=0),
    ]
    module, ctx = imported(model_of(nodes, {"x": (1, 400)}))
    x = np.random.default_rng(0).laplace(-6, 1, (8, 400)).astype(np.float32)
    method = method_named(name)
    samples = ArraySamples(module, {"x": x})
    found = collect_statistics(module, ctx.weights, samples, histogram=method.histogram)
    rows = calibration_table(module, found, method).rows
    for tensor in ("s", "moved", "y") if method.doubts_extremes else ():
        assert (rows[tensor].low, rows[tensor].high) == (found[tensor].low, found[tensor].high)
        assert rows[tensor].method == "min-max"
    assert {rows["x"].method, rows["product"].method} == {name}


def test_scalars_and_what_one_sample_serves():
    """A scalar takes [S]; samples may lie along an axis of their own; one sample serves all of the others."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["y"]),
    ]
    module, ctx = imported(model_of(nodes, {"x": (1, 3), "scale": (), "b": (3,)}))
    x, scale = random_input(5, 3), np.arange(5, dtype=np.float32)
    b = np.array([1, 2, 3], np.float32)
    expected = x * scale[:, None] + b
    for data in (
        {"x": x, "scale": scale, "b": b},
        {"x": x[:, None], "scale": scale, "b": np.tile(b, 5)},
        {"x": x, "scale": scale, "b": np.tile(b, (5, 1))},
    ):
        loaded = load_calibration_data(data, module)
        assert {name: len(each) for name, each in loaded.items()} == {"x": 5, "scale": 5, "b": 15}
        found = calibrate(module, ctx.weights, data)["y"]
        assert found == (expected.min(), expected.max())
    assert load_calibration_data("random:0", module)["scale"].shape == (8,)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed, "npy", "fortran"])
def test_files_are_read_a_few_samples_at_a_time(small, tmp_path, save):
    """A file of any kind gives what its array gives, and no more of it is read at once than is asked for."""
    module, _ = small
    x = random_input(14, 3)
    path = tmp_path / ("x.npy" if save in ("npy", "fortran") else "x.npz")
    if save == "npy":
        np.save(path, x)
    elif save == "fortran":
        np.save(path, np.asfortranarray(x))
    else:
        save(path, x=x)
    samples = calibration_samples(path, module)
    assert len(samples) == 7
    parts = [part["x"] for part in samples.parts(3)]
    assert [part.shape for part in parts] == [(3, 2, 3), (3, 2, 3), (1, 2, 3)]
    np.testing.assert_array_equal(np.concatenate(parts).reshape(14, 3), x)
    np.testing.assert_array_equal(load_calibration_data(path, module)["x"], x)


def test_memory_does_not_grow_with_the_samples_of_a_file(tmp_path):
    node = helper.make_node("Relu", ["x"], ["y"])
    module, _ = imported(model_of([node], {"x": (1, 100, 100)}))
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=np.ones((1000, 100, 100), np.float32))
    samples = calibration_samples(path, module)
    tracemalloc.start()
    try:
        for part in samples.parts(10):
            assert len(part["x"]) == 10
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4e6  # of 40e6 bytes


def test_damage_behind_the_first_samples_is_told(small, tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=random_input(4000, 3))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DiagnosticError, match=r"not a readable \.npz file"):
        load_calibration_data(path, small[0])
