"""Random inputs of networks that take integers."""

import numpy as np
from smalti.backends.interpreter.samples import main_function
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.inputs.random_inputs import input_ranges
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module

TEXT = """
func.func @main(%table: tensor<50x4xf32>, %a: tensor<3xi64>, %b: tensor<2x3xi32>, %c: tensor<3xi64>,
    %d: tensor<2x2xi64>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi64>, tensor<2xf32>) attributes {
    smalti.inputs = ["table", "a", "b", "c", "d"],
    smalti.outputs = ["x", "y", "z", "w"]} {
  %x = top.call "x" %table, %a function = "gather" : (tensor<50x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
  %row = top.slice "row" %b starts = [1, 0] sizes = [1, 3] steps = [1, 1] : (tensor<2x3xi32>) -> tensor<1x3xi32>
  %flat = top.reshape "flat" %row : (tensor<1x3xi32>) -> tensor<3xi32>
  %wide = top.call "wide" %flat function = "cast" attributes = {to = "i64"} :
     (tensor<3xi32>) -> tensor<3xi64>
  %v = top.weight "v" value = dense<[0.0, 1.0]> : tensor<2xf32>
  %y = top.call "y" %wide, %v function = "one_hot" attributes = {depth = 4} :
     (tensor<3xi64>, tensor<2xf32>) -> tensor<3x4xf32>
  %z = top.call "z" %c, %c function = "add" : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi64>
  %w = top.call "w" %table, %d function = "gather_nd" : (tensor<50x4xf32>, tensor<2x2xi64>) -> tensor<2xf32>
  func.return %x, %y, %z, %w : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi64>, tensor<2xf32>
}
"""


def test_indices_are_within_what_they_choose_from():
    """Also after they were moved or cast; other integers are small and not negative."""
    module = parse_module(TEXT, make_context(), "indices")
    ranges = input_ranges(main_function(module))
    assert ranges == {"a": (0, 49), "b": (0, 3), "c": (0, 9), "d": (0, 3)}
    data = load_calibration_data("random:3", module)
    for name, (low, high) in ranges.items():
        assert data[name].dtype.kind == "i"
        assert low <= data[name].min() and data[name].max() <= high
    assert np.unique(data["a"]).size > 2
