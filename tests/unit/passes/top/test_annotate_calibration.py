"""top-annotate-calibration: ranges into types."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.registry import print_pipeline
from smalti.passes.top.annotate_calibration import (
    AnnotateCalibration,
    AnnotateMeasured,
    has_ranges,
)
from smalti.passes.top.calibration_table import table_of

BODY = """
%w = top.weight "w" seed = 1 : tensor<4xf32>
%a = top.add "a" %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
%b = top.relu "b" %a : (tensor<4xf32>) -> tensor<4xf32>
"""


def annotated(piped, network, path):
    text = network({"x": "4xf32"}, BODY, "%b", "4xf32")
    return piped(text, f"top-annotate-calibration{{table={path}}}")


def test_inputs_results_and_the_function_type(piped, network, table):
    path = table({"x": (-1, 2.5), "b": (0.0, 0.1), "gone": (0, 1), "w": (0, 1)})
    result = annotated(piped, network, path)
    text = result.text
    assert "%x: tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>" in text
    assert ") -> tensor<4x!quant.calibrated<f32<0.000000e+00:1.000000e-01>>> attributes" in text
    assert '%a = top.add "a" %x, %w' in text
    assert text.count("quant.calibrated") == 5
    assert result.passes[0].statistics == {"annotated": 2, "unknown": 2}


@pytest.mark.parametrize(
    ("row", "threshold"),
    [("1 0 2", 1), ("2 0 2", None), ("0.5 1 2", 0.5), ("1 -4 -2", 1), ("4 -3 1", 4), ("0 -1 1", None)],
)  # fmt: skip
def test_a_threshold_stands_beside_the_range(piped, network, table, row, threshold):
    """It is left out where it is the greater magnitude, or 0, which says nothing."""
    element = annotated(piped, network, table(f"b {row}\n")).named("b").output.type.element_type
    low, high = map(float, row.split()[1:])
    assert (element.low, element.high) == (low, high)
    assert element.threshold == (threshold or max(-low, high))
    assert ("threshold" in str(element)) == (threshold is not None)


@pytest.mark.parametrize(("value", "expected"), [(0.0, (0, 1)), (3.0, (0, 3)), (-3.0, (-3, 0))])
def test_a_single_value_becomes_an_interval_that_holds_zero(piped, network, table, value, expected):
    result = annotated(piped, network, table({"b": (value, value)}))
    element = result.named("b").output.type.element_type
    assert (element.low, element.high) == expected


def test_names_that_no_value_has_are_told_with_those_that_are_near(network, table):
    ctx, told = make_context(), []
    ctx.on_report = told.append
    body = BODY.replace('"b"', '"features.1/relu"')
    module = parse_module(network({"x": "4xf32"}, body, "%b", "4xf32"), ctx)
    path = table({"x": (0, 1), "features.1/relu6": (0, 6), "gone": (0, 1)})
    AnnotateCalibration(path).apply(ctx, module)
    assert [str(each) for each in told] == [
        f"{path}: warning: the calibration table has ranges for 2 names that no value has\n"
        "  note: they are: features.1/relu6, gone\n"
        "  note: 'features.1/relu6': did you mean features.1/relu?"
    ]


def test_a_table_of_another_model_is_an_error(piped, network, table):
    with pytest.raises(DiagnosticError, match="names no value of the module"):
        annotated(piped, network, table({"other": (0, 1)}))


def test_measured_ranges_need_no_file(network, tmp_path):
    """The pass on values does what the table with these values does, and prints as the pass that reads it."""
    ctx = make_context()
    module = parse_module(network({"x": "4xf32"}, BODY, "%b", "4xf32"), ctx)
    path = str(tmp_path / "later.calibration")
    annotation = AnnotateMeasured(path, table_of({"b": (0.0, 2.0)}))
    assert not has_ranges(module)
    annotation.apply(ctx, module)
    assert has_ranges(module)
    assert annotation.statistics == {"annotated": 1}
    assert print_pipeline([annotation]) == f'top-annotate-calibration{{table="{path}"}}'
    assert not list(tmp_path.iterdir())
