"""Ops that the host computes on signals and sequences, against ONNX Runtime and plain sums."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from onnx.helper import np_dtype_to_tensor_dtype
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from tests.unit.compiler.onnx_import.onnx_models import imported, run_imported
from tests.unit.compiler.onnx_import.ops.host.nodes import RNG, check, node_model, normal


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("length", [None, 6, 12])
@pytest.mark.parametrize(("inverse", "one_sided"), [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dft(parts: int, length, inverse: int, one_sided: int, dtype):
    if one_sided and parts == 2:
        pytest.skip("only the spectrum of real numbers is one-sided")
    for opset, axis in product((17, 20), (1, 2)):
        inputs = {
            "x": normal(2, 9, 8, parts, dtype=dtype),
            "length": None if length is None else np.array(length),
        }
        constants = ("length",) if length else ()
        options: dict[str, Any] = {"axis": axis}
        if opset == 20:
            inputs["axis"], constants, options = np.array(axis), (*constants, "axis"), {}
        check(
            "DFT", inputs, constants=constants, opset=opset, inverse=inverse, onesided=one_sided,
            atol=1e-4, **options,
        )  # fmt: skip


def test_dft_by_its_definition():
    x = normal(1, 7, 2)
    n = np.arange(7)
    numbers = x[..., 0] + 1j * x[..., 1]
    expected = numbers @ np.exp(-2j * np.pi * np.outer(n, n) / 7)
    found = run_imported(node_model("DFT", {"x": x}), {"x": x})["y"]
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], expected, atol=1e-5)
    whole = normal(1, 5, 1)
    half = run_imported(node_model("DFT", {"x": whole}, onesided=1), {"x": whole})["y"]
    back = node_model(
        "DFT", {"x": half, "length": np.array(5)}, constants=("length",), onesided=1, inverse=1
    )
    np.testing.assert_allclose(run_imported(back, {"x": half})["y"], whole, atol=1e-6)


def test_dft_along_a_computed_axis():
    inputs = {"x": normal(2, 9, 8, 1), "axis": np.array(1)}
    model = node_model("DFT", {"x": inputs["x"], "length": None, "axis": inputs["axis"]})
    found = run_imported(model, inputs)["y"]
    expected = np.fft.fft(inputs["x"][..., 0], axis=1)
    np.testing.assert_allclose(found[..., 0], expected.real, atol=1e-5)
    with pytest.raises(DiagnosticError, match="axis 3 is that of the parts of numbers"):
        run_imported(model, {**inputs, "axis": np.array(3)})


@pytest.mark.parametrize("one_sided", [0, 1])
@pytest.mark.parametrize("window", [False, True])
def test_stft(one_sided: int, window: bool):
    inputs = {
        "x": normal(2, 50, 1),
        "step": np.array(7),
        "window": normal(16) if window else None,
        "length": None if window else np.array(16),
    }
    known = ("step",) if window else ("step", "length")
    check("STFT", inputs, constants=known, opset=17, onesided=one_sided, atol=1e-4, compiled=True)


@pytest.mark.parametrize("axes", [(1, 0), (0, 1)])
def test_reverse_sequence(axes):
    batch, time = axes
    inputs = {"x": normal(5, 4, 3), "lengths": RNG.integers(1, 5, (5, 4)[batch])}
    check("ReverseSequence", inputs, batch_axis=batch, time_axis=time, opset=10, compiled=True)


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("least", "most", "skip"), [(1, 1, 2), (1, 2, 1), (2, 3, 2), (2, 2, 0)])
def test_tf_idf(mode: str, weighted: bool, least: int, most: int, skip: int):
    options: dict[str, Any] = {"weights": [0.5, 2.0, 3.0, 1.5, 7.0, 0.25]} if weighted else {}
    for shape, dtype in (((30,), np.int64), ((3, 20), np.int32)):
        inputs = {"x": RNG.integers(0, 4, shape).astype(dtype)}
        check(
            "TfIdfVectorizer", inputs, opset=9, mode=mode, min_gram_length=least,
            max_gram_length=most, max_skip_count=skip, pool_int64s=[2, 3, 0, 1, 2, 2, 1, 2, 3, 0, 0, 1],
            ngram_counts=[0, 2, 6], ngram_indexes=[3, 1, 0, 5, 4, 2], **options,
        )  # fmt: skip


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize("axis", [1, -2])
def test_tensor_scatter(circular: bool, axis: int):
    cache, update = normal(3, 8, 6, 4), normal(3, *((2, 6) if axis == 1 else (8, 2)), 4)
    starts = np.array([0, 5, 4] if circular else [0, 2, 4])
    if circular and axis == 1:
        starts = np.array([7, 5, 0])
    mode = "circular" if circular else "linear"
    inputs = {"cache": cache, "update": update, "starts": starts}
    model = node_model("TensorScatter", inputs, opset=24, axis=axis, mode=mode)
    expected = cache.copy()
    for sample, step in product(range(3), range(2)):
        place = (starts[sample] + step) % cache.shape[axis]
        if axis == 1:
            expected[sample, place] = update[sample, step]
        else:
            expected[sample, :, place] = update[sample, :, step]
    np.testing.assert_array_equal(run_imported(model, inputs)["y"], expected)
    if not circular:
        with pytest.raises(DiagnosticError, match="do not fit"):
            run_imported(model, {**inputs, "starts": np.array([0, 0, 7])})


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize(("exclusive", "reverse"), list(product((0, 1), repeat=2)))
def test_running_sums_along_a_computed_axis(dtype, exclusive: int, reverse: int):
    inputs = {"x": RNG.integers(-4, 5, (3, 4, 5)).astype(dtype), "axis": np.array(-2)}
    check("CumSum", inputs, opset=14, exclusive=exclusive, reverse=reverse)
    model = node_model("CumProd", inputs, opset=26, exclusive=exclusive, reverse=reverse)
    found = run_imported(model, inputs)["y"]
    for i, k, at in product(range(3), range(5), range(4)):
        numbers = inputs["x"][i, :, k].tolist()
        part = numbers[at + exclusive :] if reverse else numbers[: at + 1 - exclusive]
        assert found[i, at, k] == np.prod(part)
    with pytest.raises(DiagnosticError, match="axis 3 is none of a tensor of 3 axes"):
        run_imported(model, {**inputs, "axis": np.array(3)})


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [-9, -1, 0, 2, 9])
def test_triangles_at_a_computed_diagonal(k: int, upper: int):
    check("Trilu", {"x": normal(2, 4, 5), "k": np.array(k)}, opset=14, upper=upper)


def test_bits_as_other_elements():
    for given, wanted in ((np.float32, np.int32), (np.int64, np.float64), (np.uint16, np.int16)):
        x = RNG.integers(0, 2**15, (3, 4)).astype(given)
        to = np_dtype_to_tensor_dtype(np.dtype(wanted))
        found = run_imported(node_model("BitCast", {"x": x}, opset=26, to=to), {"x": x})["y"]
        assert found.dtype == wanted and found.tobytes() == x.tobytes()
    narrow = node_model("BitCast", {"x": normal(3)}, opset=26, to=6)
    wide = node_model("BitCast", {"x": normal(3)}, opset=26, to=7)
    imported(narrow)
    with pytest.raises(DiagnosticError):
        imported(wide)


def test_determinants():
    check("Det", {"x": normal(2, 3, 4, 4)}, opset=11, compiled=True)
    with pytest.raises(DiagnosticError, match="must be square matrices"):
        imported(node_model("Det", {"x": normal(3, 4)}, opset=11))


@pytest.mark.parametrize("k", [-7, -1, 0, 2, 7])
def test_ones_on_a_diagonal(k: int):
    check("EyeLike", {"x": normal(4, 6)}, opset=9, k=k)
    check("EyeLike", {"x": normal(4, 6)}, opset=9, k=k, dtype=7)


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        ((1, 11, 3), np.int64), ((10, -5, -4), np.int32), ((5, 5, 1), np.int64), ((3, 0, 2), np.int16),
        ((0.5, 3, 0.7), np.float32), ((1, -1, -0.25), np.float64),
    ],
)  # fmt: skip
def test_ranges(numbers, dtype):
    inputs = {
        n: np.array(v, dtype) for n, v in zip(("start", "limit", "delta"), numbers, strict=True)
    }
    check("Range", inputs, constants=tuple(inputs), opset=11)


def test_ranges_that_do_not_end():
    inputs = {n: np.array(v) for n, v in (("start", 1), ("limit", 2), ("delta", 0))}
    with pytest.raises(DiagnosticError, match="no number of steps of 0"):
        imported(node_model("Range", inputs, constants=tuple(inputs), opset=11))
