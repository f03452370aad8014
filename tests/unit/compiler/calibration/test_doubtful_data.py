"""Calibration data that are probably not what the network is fed in use are warned of, by file and input."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.diagnostics.diagnostic import Place
from smalti.compiler.calibration.clipping.lost_energy import lost_energy
from smalti.compiler.calibration.clipping.method import method_named
from smalti.compiler.calibration.clipping.statistics import Clip, Statistics
from smalti.compiler.calibration.doubtful_data import doubt_of_count, doubt_of_cuts
from smalti.compiler.calibration.ranges import calibration_table
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.compilation.compilation import Compilation
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input

RELU = helper.make_node("Relu", ["image"], ["y"])
PIXELS = np.arange(8 * 64, dtype=np.float32).reshape(8, 1, 8, 8) % 256


def network(*nodes):
    return imported(model_of(nodes or [RELU], {"image": (1, 1, 8, 8)}))[0]


def warnings_of(source, module=None):
    found = []
    load_calibration_data(source, module or network(), found.append)
    return [str(each) for each in found]


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("arrays", "message", "hint"),
    [
        ({"image": np.zeros((8, 1, 8, 8))}, "input 'image' are all zero", "preprocessing"),
        ({"picture": random_input(8, 1, 8, 8)}, "'picture' is taken for input 'image'", "'image'"),
        ({"image": PIXELS}, "whole numbers from 0 to 255", "normalized floats"),
        ({"image": PIXELS.astype(np.uint8)}, "whole numbers from 0 to 255", "normalized floats"),
    ],
    ids=["zeros", "name", "pixels", "bytes"],
)
def test_doubtful_data(tmp_path, arrays, message, hint):
    (warning,) = warnings_of(saved(tmp_path / "c.npz", **arrays))
    assert f"{tmp_path / 'c.npz'}: warning: " in warning
    assert message in warning and hint in warning.splitlines()[-1]


def test_data_without_a_range_need_not_be_many():
    place = Place(file="c.npz")
    assert doubt_of_count(1, [], place) is None
    warning = doubt_of_count(1, ["image"], place)
    assert warning is not None and "only 1 sample for 'image':" in warning.message


def test_data_without_doubt(tmp_path):
    good = random_input(8, 1, 8, 8)
    assert not warnings_of(saved(tmp_path / "c.npz", image=good))
    np.savez(tmp_path / "unnamed.npz", good)
    assert not warnings_of(tmp_path / "unnamed.npz")
    assert not warnings_of("random:0")
    assert not warnings_of({"image": PIXELS / 255})


def test_a_network_that_normalizes_takes_pixels():
    scaled = [
        helper.make_node("Mul", ["image", "image"], ["s"]),
        helper.make_node("Relu", ["s"], ["y"]),
    ]
    assert not warnings_of({"image": PIXELS}, network(*scaled))


def reports_of(node, arrays, quantize="int8"):
    """Return the warnings of a compilation with these calibration data."""
    module, ctx = imported(
        model_of([node], {name: each.shape[1:] for name, each in arrays.items()})
    )
    reports = []
    ctx.on_report = reports.append
    data = {name: array.reshape(-1, *array.shape[2:]) for name, array in arrays.items()}
    Compilation(module, ctx, CompileOptions("edge-1c", None, quantize, data)).lower_to("tpu")
    return [str(each) for each in reports if each.severity == "warning"]


@pytest.mark.parametrize(("count", "words"), [(1, "is only 1 sample"), (2, "are only 2 samples")])
def test_few_samples_to_quantize_by(count, words):
    data = {"image": random_input(count, 1, 1, 8, 8)}
    pool = helper.make_node("MaxPool", ["image"], ["y"], kernel_shape=[2, 2])
    (warning,) = reports_of(pool, data)
    assert f"calibration data: warning: there {words} for 'image'" in warning
    assert "a hundred" in warning.splitlines()[-1]
    assert not reports_of(pool, {"image": random_input(4, 1, 1, 8, 8)})


def test_few_samples_that_quantize_nothing():
    data = {"image": random_input(2, 1, 1, 8, 8)}
    assert not reports_of(helper.make_node("Flatten", ["image"], ["y"]), data)
    data = {"image": random_input(2, 1, 3), "other": random_input(2, 1, 3)}
    assert not reports_of(helper.make_node("Concat", ["image", "other"], ["y"], axis=1), data)


@pytest.mark.parametrize("quantize", ["f32", "f16", "bf16"])
def test_floats_are_not_calibrated(quantize, monkeypatch):
    """What would take the time, and what would refuse the data, is left out."""
    monkeypatch.setattr("smalti.compiler.compilation.compilation.measured_table", None)
    unfit = {"image": random_input(8, 1, 3)}
    (warning,) = reports_of(RELU, unfit, quantize)
    assert warning == (
        f"calibration data: warning: the calibration is not used: quantize={quantize} needs no ranges"
    )


@pytest.mark.parametrize("name", ["kl", "mse"])
def test_the_energy_that_a_clip_loses_is_that_of_the_numbers(name):
    values = np.append(np.random.default_rng(0).normal(0, 1, 10**5), [40.0]).astype(np.float32)
    histogram = method_named(name).histogram
    assert histogram is not None
    statistics = Statistics(histogram())
    statistics.add(values)
    lost = values - np.clip(values, -1, 2)
    expected = np.square(lost).sum() / np.square(values).sum()
    assert lost_energy(statistics, Clip(2, -1, 2)) == pytest.approx(expected, rel=0.02)
    assert lost_energy(statistics, Clip(40, -10, 40)) == 0
    assert lost_energy(Statistics(None, -1, 1), Clip(0, 0, 0)) == 0


def test_a_clip_that_loses_much_is_told():
    module = network()
    statistics = Statistics((histogram := method_named("percentile:90").histogram) and histogram())
    statistics.add(np.append(np.zeros(95, np.float32), np.arange(1, 6, dtype=np.float32)))
    tables = [
        calibration_table(module, {"y": statistics}, method_named(name))
        for name in ("percentile:90", "min-max")
    ]
    doubts = [doubt_of_cuts({"y": statistics}, table, Place(file="a.npz")) for table in tables]
    assert doubts[1] is None
    assert "a.npz: remark: 1 tensor loses more than 1% of the energy" in str(doubts[0])
    assert "'y': all by percentile:90" in str(doubts[0])
