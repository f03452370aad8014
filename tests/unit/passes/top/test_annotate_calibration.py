"""top-annotate-calibration: ranges into types, and what is wrong with tables."""

import json

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.passes.top.annotate_calibration import read_table

BODY = """
%w = top.weight "w" seed = 1 : tensor<4xf32>
%a = top.add "a" %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
%b = top.relu "b" %a : (tensor<4xf32>) -> tensor<4xf32>
"""


@pytest.fixture
def table(tmp_path):
    def write(content) -> str:
        path = tmp_path / "ranges.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def annotated(piped, network, path):
    text = network({"x": "4xf32"}, BODY, "%b", "4xf32")
    return piped(text, f"top-annotate-calibration{{table={path}}}")


def test_inputs_results_and_the_function_type(piped, network, table):
    path = table(
        {"format": 1, "ranges": {"x": [-1, 2.5], "b": [0.0, 0.1], "gone": [0, 1], "w": [0, 1]}}
    )
    result = annotated(piped, network, path)
    text = result.text
    assert "%x: tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>" in text
    assert ") -> tensor<4x!quant.calibrated<f32<0.000000e+00:1.000000e-01>>> attributes" in text
    assert '%a = top.add "a" %x, %w' in text
    assert text.count("quant.calibrated") == 5
    assert result.passes[0].statistics == {"annotated": 2, "unknown": 2}


@pytest.mark.parametrize(("value", "expected"), [(0.0, (0, 1)), (3.0, (0, 3)), (-3.0, (-3, 0))])
def test_a_single_value_becomes_an_interval_that_holds_zero(piped, network, table, value, expected):
    result = annotated(piped, network, table({"format": 1, "ranges": {"b": [value, value]}}))
    element = result.named("b").output.type.element_type
    assert (element.low, element.high) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("{\n  x", "ranges.json:2:3"),
        ("\x00\xff", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "it has no 'ranges'"),
        ({"format": 2, "ranges": {}}, "format is 2, this Smalti reads 1"),
        ({"ranges": {}}, "format is None"),
        ({"format": 1, "ranges": []}, "it has no 'ranges'"),
        ({"format": 1, "ranges": {"x": [1]}}, "the range of 'x' is not [low, high]"),
        ({"format": 1, "ranges": {"x": ["a", 1]}}, "the range of 'x' is not [low, high]"),
        ({"format": 1, "ranges": {"x": [True, 1]}}, "the range of 'x' is not [low, high]"),
        ('{"format": 1, "ranges": {"x": [NaN, 1]}}', "is not finite"),
        ('{"format": 1, "ranges": {"x": [0, 1e999]}}', "is not finite"),
        ('{"format": 1, "ranges": {"x": [0, 1%s]}}' % ("0" * 400), "is not finite"),
        ({"format": 1, "ranges": {"x": [2, 1]}}, "is upside down"),
    ],
)
def test_bad_tables_are_diagnostics(table, content, message):
    path = table(content)
    with pytest.raises(DiagnosticError) as caught:
        read_table(path)
    assert message in str(caught.value)
    assert path in str(caught.value)


def test_a_missing_table_is_a_diagnostic(tmp_path):
    with pytest.raises(DiagnosticError, match="cannot read the calibration table"):
        read_table(tmp_path / "none.json")


def test_a_table_of_another_model_is_an_error(piped, network, table):
    with pytest.raises(DiagnosticError, match="names no value of the module"):
        annotated(piped, network, table({"format": 1, "ranges": {"other": [0, 1]}}))
