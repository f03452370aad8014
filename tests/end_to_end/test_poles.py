"""INT8 of ops with poles: what 8 bits would round to 0 stays a number, and results stay finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from onnx import NodeProto, helper
from smalti.compiler import compile_model

from tests.unit.compiler.onnx_import.onnx_models import model_of

from .int8_accuracy import SAMPLES, Arrays, decibels, normal, outputs

TOKENS, SIZE = 4, 16
WEIGHTS: Arrays = {
    "w": normal(SIZE, SIZE, seed=1) / 4,
    "v": normal(SIZE, SIZE, seed=2) / 4,
    "filters": normal(4, 4, 1, 1, seed=3),
    "last": np.array([-1]),
    "ones": np.ones((SIZE, 1), np.float32),
    "one_filter": np.ones((1, 4, 1, 1), np.float32),
    "scales": np.array([1, 1, 2, 2], np.float32),
}
NUMBERS: dict[str, float] = {
    "zero": 0, "one": 1, "half": 0.5, "minus_half": -0.5, "third": 1 / 3, "two": 2, "three": 3, "quarter": 0.25,
    "tiny": 1e-12, "small": 1e-5, "milli": 1e-3, "centi": 1e-2, "under_one": 1 - 1e-5,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A network, "result = Op a b attribute=1; …" of the input `x`, and the least SNR of its outputs in dB.

    `rows` spreads the size of the input's rows over that many decades.
    """

    text: str
    least_db: float
    size: float = 1.0
    rows: float = 0.0
    results: tuple[str, ...] = ("y",)
    image: bool = False

    def nodes(self) -> list[NodeProto]:
        return [_node(line) for line in self.text.split("; ")]

    def inputs(self) -> Arrays:
        shape = (SAMPLES, 4, 6, 6) if self.image else (SAMPLES, TOKENS, SIZE)
        spread = np.random.default_rng(7).uniform(
            -self.rows, 0, (*shape[:2], *[1] * len(shape[2:]))
        )
        return {"x": normal(*shape) * np.float32(self.size) * (10.0**spread).astype(np.float32)}

    def model(self):
        constants = {**WEIGHTS, **{name: np.float32(each) for name, each in NUMBERS.items()}}
        shape = (1, *self.inputs()["x"].shape[1:])
        used = {name for node in self.nodes() for name in node.input}
        given = {name: value for name, value in constants.items() if name in used}
        return model_of(self.nodes(), {"x": shape}, self.results, given)


def _node(line: str) -> NodeProto:
    result, _, words = line.strip().partition(" = ")
    kind, *operands = words.split()
    attributes = dict(word.split("=") for word in operands if "=" in word)
    values = {
        name: [int(each) for each in text.split(",")]
        if name in ("axes", "perm", "kernel_shape", "strides")
        else int(text)
        for name, text in attributes.items()
    }
    inputs = ["" if word == "-" else word for word in operands if "=" not in word]
    return helper.make_node(kind, inputs, [result], name=f"{result}_node", **values)


CASES = {
    "log of a clip": Case("c = Clip x milli one; y = Log c", 100),
    "log of a clipped product": Case("h = MatMul x w; c = Clip h milli -; y = Log c", 26),
    "log of a sum": Case("h = MatMul x w; g = MatMul x v; a = Mul h h; b = Mul g g; c = Add a b; y = Log c", 18),
    "log of a sigmoid, moved": Case(
        "h = MatMul x w; s = Sigmoid h; t = Transpose s perm=0,2,1; y = Log t",
        36, size=3,
    ),
    "log of a softmax by hand": Case(
        "h = MatMul x w; m = ReduceMax h axes=-1; d = Sub h m; e = Exp d; s = ReduceSum e last; p = Div e s; y = "
        "Log p",
        40, size=4,
    ),
    "log of a choice": Case("h = MatMul x w; g = Greater h milli; c = Where g h milli; y = Log c", 23),
    "log of a concat": Case(
        "h = MatMul x w; s = Sigmoid h; g = MatMul x v; e = Exp g; c = Concat s e axis=1; y = Log c",
        36, size=3,
    ),
    "log of a log": Case("h = MatMul x w; s = Softplus h; a = Add s one; l = Log a; y = Log l", 36, size=2),
    "softmax by hand": Case("e = Exp x; s = ReduceSum e last; y = Div e s", 100, size=3),
    "softmax of a product by hand": Case(
        "h = MatMul x w; e = Exp h; s = ReduceSum e last; y = Div e s",
        33, size=3,
    ),
    "sum by a product": Case("h = MatMul x w; e = Exp h; s = MatMul e ones; y = Div e s", 33, size=3),
    "softplus by hand": Case("h = MatMul x w; e = Exp h; a = Add e one; y = Log a", 36, size=3),
    "inverse sigmoid": Case("c = Clip x small under_one; m = Sub one c; r = Div c m; y = Log r", 100),
    "inverse sigmoid of a sigmoid": Case(
        "h = MatMul x w; s = Sigmoid h; c = Clip s small under_one; m = Sub one c; r = Div c m; y = Log r",
        35, size=3,
    ),
    "inverse sigmoid by two logs": Case(
        "h = MatMul x w; s = Sigmoid h; c = Clip s small under_one; m = Sub one c; a = Log c; b = Log m; y = Sub "
        "a b",
        35, size=3,
    ),
    "x by its norm": Case("n = ReduceL2 x axes=-1; d = Add n tiny; y = Div x d", 100, rows=3),
    "x by its greatest": Case("a = Abs x; m = ReduceMax a axes=-1; d = Max m tiny; y = Div x d", 100, rows=3),
    "x by its norm, written out": Case(
        "q = Mul x x; s = ReduceSum q last; r = Sqrt s; d = Clip r tiny -; y = Div x d",
        100, rows=3,
    ),
    "x by its mean size": Case("a = Abs x; m = ReduceMean a axes=-1; y = Div x m", 100, rows=3),
    "a product by its norm": Case("h = MatMul x w; n = ReduceL2 h axes=-1; d = Add n tiny; y = Div h d", 35),
    "standardization": Case(
        "m = ReduceMean x axes=-1; d = Sub x m; q = Mul d d; u = ReduceMean q axes=-1; e = Add u small; s = Sqrt "
        "e; y = Div d s",
        100, rows=2,
    ),
    "standardization by a reciprocal, over other axes": Case(
        "h = MatMul x w; m = ReduceMean h axes=1,2; d = Sub h m; q = Pow d two; u = ReduceMean q axes=2; e = Add "
        "u small; s = Sqrt e; r = Reciprocal s; y = Mul d r",
        35,
    ),
    "cosine of two products": Case(
        "h = MatMul x w; g = MatMul x v; m = Mul h g; d = ReduceSum m last; a = ReduceL2 h axes=-1; b = ReduceL2 "
        "g axes=-1; n = Mul a b; l = Max n tiny; y = Div d l",
        30,
    ),
    "deviation by two means": Case(
        "h = MatMul x w; q = Mul h h; a = ReduceMean q axes=-1; m = ReduceMean h axes=-1; b = Mul m m; u = Sub a "
        "b; y = Sqrt u",
        44,
    ),
    "one by a square root": Case("h = MatMul x w; q = Mul h h; a = Add q centi; r = Sqrt a; y = Reciprocal r", 25),
    "power of -0.5": Case(
        "h = MatMul x w; q = Mul h h; m = ReduceMean q axes=-1; a = Add m small; r = Pow a minus_half; y = Mul h "
        "r",
        35,
    ),
    "power of 0.25": Case("h = MatMul x w; a = Abs h; y = Pow a quarter", 32),
    "power of an activation": Case("h = MatMul x w; r = Relu h; a = Add r milli; n = Neg a; y = Pow a n", 40),
    "one by a clip": Case("c = Clip x milli -; y = Reciprocal c", 100),
    "one by negative numbers": Case("h = MatMul x w; s = Softplus h; n = Neg s; y = Reciprocal n", 35),
    "division of activations": Case("h = MatMul x w; g = MatMul x v; e = Exp g; y = Div h e", 23, size=2),
    "x by itself": Case("h = MatMul x w; r = Relu h; a = Add r milli; y = Div a a", 100),
    "remainder": Case("h = MatMul x w; e = Exp h; a = Add e one; y = Mod x a fmod=1", 50),
    "geometric mean": Case(
        "h = MatMul x w; a = Abs h; b = Add a milli; l = Log b; m = ReduceMean l axes=-1; y = Exp m",
        26,
    ),
    "harmonic mean": Case(
        "h = MatMul x w; a = Softplus h; r = Reciprocal a; m = ReduceMean r axes=-1; y = Reciprocal m",
        36, size=2,
    ),
    "arcus hyperbolic cosine": Case("h = MatMul x w; q = Mul h h; a = Add q one; y = Acosh a", 35),
    "arcus cosine": Case("h = MatMul x w; t = Tanh h; m = Mul t under_one; y = Acos m", 42),
    "image by the mean of each channel": Case(
        "h = Conv x filters kernel_shape=1,1; e = Exp h; m = GlobalAveragePool e; y = Div e m",
        31, image=True,
    ),
    "generalized mean of an image": Case(
        "h = Conv x filters kernel_shape=1,1; c = Clip h small -; q = Pow c three; m = GlobalAveragePool q; y = "
        "Pow m third",
        46, rows=1, image=True,
    ),
    "log of a resized sigmoid": Case(
        "h = Conv x filters kernel_shape=1,1; s = Sigmoid h; r = Resize s - scales; y = Log r",
        36, size=1.5, image=True,
    ),
    "log of every other pixel of a sigmoid": Case(
        "h = Conv x filters kernel_shape=1,1; s = Sigmoid h; p = MaxPool s kernel_shape=1,1 strides=2,2; y = Log p",
        36, size=1.5, image=True,
    ),
    "sum of channels by a convolution": Case(
        "h = Conv x filters kernel_shape=1,1; e = Exp h; s = Conv e one_filter kernel_shape=1,1; y = Div e s",
        33, size=1.5, image=True,
    ),
    "a log and a product of one value": Case(
        "h = MatMul x w; c = Clip h milli -; l = Log c; z = MatMul c v",
        26, results=("l", "z"),
    ),
    "a log and a convolution of one sum": Case(
        "h = Conv x filters kernel_shape=1,1; r = Relu h; a = Add r milli; l = Log a; z = Conv a filters "
        "kernel_shape=1,1",
        24, results=("l", "z"), image=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_ops_with_poles_stay_finite_and_near_the_floats(name: str):
    case = CASES[name]
    for got, expected in outputs(case.model(), case.inputs()):
        assert np.isfinite(got).all()
        assert decibels(got, expected) >= case.least_db


def test_a_row_a_thousand_times_smaller_keeps_its_direction():
    case = CASES["x by its norm"]
    inputs = {"x": case.inputs()["x"].copy()}
    inputs["x"][:, 1] *= 1e-3
    [(got, expected)] = outputs(case.model(), inputs)
    assert decibels(got[:, 1], expected[:, 1]) > 60


def test_a_row_smaller_than_any_of_the_calibration_has_length_1():
    case = Case("h = MatMul x w; n = ReduceL2 h axes=-1; d = Add n tiny; y = Div h d", 0)
    x = case.inputs()["x"]
    compiled = compile_model(case.model(), target="edge-1c", quantize="int8", calibration={"x": x})
    got = compiled.run({"x": x / 8})["y"]
    np.testing.assert_allclose((got**2).sum(axis=-1), 1, atol=0.02)


@pytest.mark.parametrize(
    "text",
    ["h = MatMul x w; y = Reciprocal h", "h = MatMul x w; g = MatMul x v; y = Div g h"],
    ids=["reciprocal", "division"],
)
def test_a_pole_within_the_range_is_told_and_gives_finite_numbers(
    text: str, capsys: pytest.CaptureFixture[str]
):
    case = Case(text, 0)
    inputs = case.inputs()
    inputs = {"x": np.concatenate([inputs["x"], np.zeros_like(inputs["x"][:1]) + np.float32(1e-4)])}
    ((got, expected),) = outputs(case.model(), inputs)
    assert np.isfinite(got).all()
    assert np.abs(got).max() <= np.abs(expected).max() * 1.001
    told = capsys.readouterr().err
    assert "y_node: warning: 'y' has a pole at 0, within the range of 'h'" in told


def test_floats_that_8_bits_never_rounded_are_as_the_network_makes_them():
    """They are not cut to the calibrated range, as 8 bits are."""
    case = Case("c = Clip x milli one; y = Log c", 0)
    calibration = {"x": np.full((1, TOKENS, SIZE), 0.5, np.float32)}
    compiled = compile_model(
        case.model(), target="edge-1c", quantize="int8", calibration=calibration
    )
    got = compiled.run({"x": np.full((1, TOKENS, SIZE), 0.01, np.float32)})["y"]
    np.testing.assert_allclose(got, np.log(0.01), rtol=1e-5)
