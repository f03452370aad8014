"""Tensors that are quantized, and that the calibration has seen as 0 only, are told by name."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from smalti.compiler.calibration.zero_ranges import zero_ranges
from smalti.compiler.compilation.compilation import Compilation
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.top.calibration_table import Ranges, table_of, write_table

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input

IMAGE = (1, 4, 8, 8)
GOOD = (-1.0, 1.0)
ZEROS = (0.0, 0.0)


def chain(length: int):
    """Convolutions one after the other, which make c0, c1 … of `image`, the last `y`."""
    names = ["image", *(f"c{number}" for number in range(length - 1)), "y"]
    nodes = [
        helper.make_node("Conv", [names[i], "w"], [names[i + 1]], f"conv{i}", pads=[1, 1, 1, 1])
        for i in range(length)
    ]
    return imported(
        model_of(nodes, {"image": IMAGE}, constants={"w": random_input(4, 4, 3, 3) / 6})
    )


def reports_of(network, calibration, quantize="int8") -> list[str]:
    """Return the warnings of a compilation down to tpu."""
    module, ctx = network
    reports = []
    ctx.on_report = reports.append
    Compilation(module, ctx, CompileOptions("edge-1c", None, quantize, calibration)).lower_to("tpu")
    return [str(each) for each in reports if each.severity == "warning"]


def table(folder: Path, ranges: Ranges) -> Path:
    write_table(table_of(ranges), folder / "m.calibration")
    return folder / "m.calibration"


def test_a_table_with_zeros_is_told_once(tmp_path: Path):
    names = [f"c{number}" for number in range(10)]
    path = table(tmp_path, {"image": ZEROS, "y": GOOD} | dict.fromkeys(names, ZEROS))
    (warning,) = reports_of(chain(11), path)
    shown = ", ".join(f"'{name}'" for name in ["image", *names[:7]])
    assert f"{path}: warning: the calibrated range of {shown} and 3 more is [0, 0]" in warning
    assert "hint: calibrate on data on which they are not all 0" in warning
    few = table(tmp_path, {"image": GOOD, "c0": ZEROS, "y": GOOD})
    (warning,) = reports_of(chain(2), few)
    assert "the calibrated range of 'c0' is [0, 0]" in warning


@pytest.mark.parametrize("range_", [GOOD, (0.0, 1.0), (0.5, 0.5), (-0.5, -0.5)])
def test_other_ranges_are_not_told(tmp_path: Path, range_: tuple[float, float]):
    path = table(tmp_path, {"image": GOOD, "c0": range_, "y": GOOD})
    assert not reports_of(chain(2), path)


def test_zeros_that_data_give_are_told_once_for_each_tensor():
    """The reader of the data tells of the input, and this of what it makes."""
    warnings = reports_of(chain(2), {"image": np.zeros((8, 4, 8, 8), np.float32)})
    assert len(warnings) == 2
    assert "the data for input 'image' are all zero" in warnings[0]
    assert "the calibrated range of 'c0', 'y' is [0, 0]" in warnings[1]


def test_what_stays_in_floats_is_not_told(tmp_path: Path):
    path = table(tmp_path, {"image": ZEROS, "scaled": ZEROS, "y": GOOD})
    nodes = [
        helper.make_node("Mul", ["image", "image"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["y"], axis=-1),
    ]
    network = imported(model_of(nodes, {"image": IMAGE}))
    assert not reports_of(network, path)


def test_what_has_to_be_zero_is_not_told():
    text = """
func.func @main(%x: tensor<4xf32>, %e: tensor<0xf32>) -> (tensor<4xf32>, tensor<0xf32>)
    attributes {smalti.inputs = ["x", "e"], smalti.outputs = ["y", "f"]} {
  %w = top.weight "w" seed = 1 : tensor<4xf32>
  %z = top.sub "z" %w, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = top.add "y" %x, %z : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %f = top.relu "f" %e : (tensor<0xf32>) -> tensor<0xf32>
  func.return %y, %f : tensor<4xf32>, tensor<0xf32>
}
"""
    module = parse_module(text, make_context())
    assert zero_ranges(module, dict.fromkeys(("x", "e", "z", "y", "f"), ZEROS)) == {"x", "y"}
