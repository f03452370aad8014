"""`smalti search`: what it chooses is what a compilation with its qtable gives, and it reaches the goal."""

import csv
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import calibrate_model, compile_model

from .bad_input.diagnostics import Smalti, assert_diagnostic

pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def table(small_onnx: Path, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "small.calibration"
    path.write_text(str(calibrate_model(small_onnx, small_data)))
    return path


@pytest.mark.share(3)
def test_what_is_chosen_reaches_the_goal(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path
):
    words = ["search", small_onnx, "--calibration", table, "--data", small_data, "--at-least", "cos=0.99999",
             "--scheme", "int8", "--scheme", "f32", "--record", tmp_path / "r.jsonl"]  # fmt: skip
    qtable, front = tmp_path / "m.qtable", tmp_path / "f.csv"
    ran = smalti(*words, "-o", qtable, "--front", front, "--plot", tmp_path / "f.svg")
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(front.open()))
    (chosen,) = [row for row in rows if row["is_chosen"] == "True"]
    good = [row for row in rows if 1 - float(row["loss"]) >= 0.99999]
    assert int(chosen["cycles"]) == min(int(row["cycles"]) for row in good)
    program = tmp_path / "m.smalti"
    compiled = ["compile", small_onnx, "--calibration", table, "--qtable", qtable, "-o", program]
    assert smalti(*compiled).code == 0
    timing = simulate(container.load(program), mode="timing").timing
    assert timing is not None and timing.cycles == int(chosen["cycles"])
    data = dict(np.load(small_data))
    exact = compile_model(small_onnx, quantize="f32").run(data)
    found = compile_model(small_onnx, calibration=table, qtable=qtable).run(data)
    for name in exact:
        a, b = (each[name].reshape(8, -1).astype(float) for each in (exact, found))
        cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert 1 - cosines.mean() == pytest.approx(float(chosen["loss"]), abs=1e-6)
    assert smalti(*words, "--jobs", 2).out == ran.out


def test_a_goal_that_nothing_reaches_is_told_with_the_best(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path
):
    words = ["search", small_onnx, "--calibration", table, "--data", small_data, "--scheme", "int8"]
    ran = smalti(*words, "--at-least", "cos=1")
    assert ran.code == 0 and "short of it, this is the best" in ran.out, ran.err
    ran = smalti(*words, "--at-least", "agreement=50%")
    assert ran.code == 0 and "agreement of at least 0.5: reached" in ran.out


SCALAR = """
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x1xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<4x1xf32>
  %y = top.matmul "y" %x, %w : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  func.return %y : tensor<1x1xf32>
}
"""


@pytest.mark.parametrize(
    "words",
    [
        ["search", "--at-least", "cos=0.9"],
        ["search", "--at-least", "agreement=99%"],
        ["search", "--front-by", "macs"],
        ["sensitivity", "--expected-cos", "0.9"],
    ],
    ids=" ".join,
)
def test_outputs_of_one_number_have_no_cosine(smalti: Smalti, tmp_path: Path, words: list[str]):
    """It is 1 whatever the number is: no goal of it would say anything."""
    model, table = tmp_path / "m.top.mlir", tmp_path / "m.calibration"
    model.write_text(SCALAR)
    assert smalti("calibrate", model, "--data", "random:1", "-o", table).code == 0
    command, *options = words
    ran = smalti(command, model, "--calibration", table, "--data", "random:1", *options)
    assert_diagnostic(ran, "outputs of one number each (y)", "--metric")


def test_mistakes(smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path):
    words = ["search", small_onnx, "--calibration", table, "--data", small_data]
    assert_diagnostic(smalti(*words, "--at-least", "cosine=1"), "no measure 'cosine'", "cos")
    assert_diagnostic(smalti(*words, "--at-least", "metric=1"), "there is no metric")
    told = smalti(*words, "--at-least", "cos=0.9", "--front", tmp_path / "f.txt")
    assert_diagnostic(told, "cannot be written as '.txt'")


def test_the_front_by_macs(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path
):
    words = [
        "search",
        small_onnx,
        "--calibration",
        table,
        "--data",
        small_data,
        "--front-by",
        "macs",
    ]
    front, qtable = tmp_path / "f.csv", tmp_path / "m.qtable"
    files = ["--front", front, "-o", qtable, "--plot", tmp_path / "f.svg"]
    ran = smalti(*words, "--shares", "40,80%", *files)
    assert ran.code == 0 and "MACs in w4a4" in ran.out, ran.err
    rows = list(csv.DictReader(front.open()))
    assert [float(row["share"]) for row in rows] == [0, 0.4, 0.8, 1]
    data = dict(np.load(small_data))
    exact = compile_model(small_onnx, quantize="f32").run(data)
    for row in rows:
        assert float(row["macs_share"]) >= float(row["share"])
        assert float(row["loss"]) <= float(row["additive_loss"])
        chosen = tmp_path / f"m.{100 * float(row['share']):g}.qtable"
        compiled = compile_model(small_onnx, calibration=table, qtable=chosen)
        assert compiled.profile().cycles == int(row["cycles"])
        found, losses = compiled.run(data), []
        for name in exact:
            a, b = (each[name].reshape(8, -1).astype(float) for each in (exact, found))
            cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
            losses.append(1 - cosines.mean())
        assert np.mean(losses) == pytest.approx(float(row["loss"]), abs=1e-6)


def test_mistakes_about_fronts(smalti: Smalti, small_onnx: Path, small_data: Path, table: Path):
    words = ["search", small_onnx, "--calibration", table, "--data", small_data]
    one = ["--front-by", "macs", "--scheme", "int8"]
    assert_diagnostic(smalti(*words, *one), "between two schemes, and there is 1")
    told = smalti(*words, "--at-least", "cos=0.9", "--shares", "50")
    assert_diagnostic(told, "--shares are those of a front")
    ran = smalti(*words, "--front-by", "macs", "--shares", "50,100")
    assert ran.code == 2 and "between 0 and 100" in ran.err
