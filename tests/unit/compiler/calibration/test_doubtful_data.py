"""Calibration data that are probably not what the network is fed in use are warned of, by file and input."""

import numpy as np
import pytest
from onnx import helper
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.compilation.compilation import Compilation, CompileOptions

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
        ({"image": random_input(2, 1, 8, 8)}, "only 2 samples for 'image'", "a hundred"),
        ({"image": random_input(1, 1, 8, 8)}, "only 1 sample for 'image'", "a hundred"),
        ({"picture": random_input(8, 1, 8, 8)}, "'picture' is taken for input 'image'", "'image'"),
        ({"image": PIXELS}, "whole numbers from 0 to 255", "normalized floats"),
        ({"image": PIXELS.astype(np.uint8)}, "whole numbers from 0 to 255", "normalized floats"),
    ],
    ids=["zeros", "two", "one", "name", "pixels", "bytes"],
)
def test_doubtful_data(tmp_path, arrays, message, hint):
    (warning,) = warnings_of(saved(tmp_path / "c.npz", **arrays))
    assert f"{tmp_path / 'c.npz'}: warning: " in warning
    assert message in warning and hint in warning.splitlines()[-1]


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


def test_compiling_warns():
    module, ctx = imported(model_of([RELU], {"image": (1, 1, 8, 8)}))
    reports = []
    ctx.on_report = reports.append
    options = CompileOptions("edge-1c", None, "int8", {"image": random_input(2, 1, 8, 8)})
    Compilation(module, ctx, options).lower_to("tpu")
    assert [each.severity for each in reports] == ["warning"]
    assert "calibration data: warning: there are only 2 samples for 'image'" in str(reports[0])
