"""`smalti sensitivity`: what it measures is what a compilation of each variant computes; what it writes is of use."""

import csv
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.targets.target import load_target
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.sensitivity.quality import Judge
from smalti.compiler.sensitivity.quantized_network import (
    Choice,
    ChoiceEvaluator,
    NetworkSource,
    QuantizedNetwork,
)
from smalti.passes.table_text import written_name
from smalti.passes.top.calibration_grammar import read_table
from smalti.passes.top.calibration_table import CalibrationTable, write_table
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES, check_target

from .bad_input.diagnostics import Smalti, assert_diagnostic


@pytest.fixture(scope="module")
def table(small_onnx: Path, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from smalti.compiler import calibrate_model

    path = tmp_path_factory.mktemp("table") / "small.calibration"
    table = calibrate_model(small_onnx, small_data)
    rows = {name: row._replace(threshold=row.threshold * 0.9) for name, row in table.rows.items()}
    write_table(CalibrationTable(rows), path)
    return path


def source_of(model: Path, data: Path, table: Path) -> NetworkSource:
    arrays = dict(np.load(data))
    return NetworkSource(str(model), "default-8c", arrays, {"table": read_table(table).rows})


def plain_outputs(
    model: Path, data: Path, table: Path, qtable: Path, scheme: str | None
) -> dict[str, np.ndarray]:
    """The outputs of a compilation as users make it, of the whole network."""
    options = CompileOptions(scheme=scheme or "f32", calibration=table, qtable=qtable)
    compilation = start_from_model(model, options)
    compilation.ctx.on_report = lambda diagnostic: None
    compilation.lower_to("tpu")
    return run_tpu(compilation.module, compilation.ctx.weights, dict(np.load(data)))


def plain_loss(
    expected: dict[str, np.ndarray], found: dict[str, np.ndarray], samples: int
) -> float:
    cosines = [
        Difference.between(name, got, want).cosine
        for name in expected
        for got, want in zip(
            found[name].reshape(samples, -1), expected[name].reshape(samples, -1), strict=True
        )
    ]
    return 1 - float(np.mean(cosines))


def computed_by_the_default_target() -> list[str]:
    """Return the schemes of which the target is capable that the tests compile for."""
    found: list[str] = []
    for scheme in SCHEMES.values():
        with suppress(DiagnosticError):
            check_target(scheme, load_target("default-8c"))
            found.append(scheme.name)
    return found


@pytest.mark.parametrize("scheme", computed_by_the_default_target())
def test_losses_are_those_of_the_plain_loop(
    small_onnx: Path, small_data: Path, table: Path, tmp_path: Path, scheme: str
):
    network = QuantizedNetwork(source_of(small_onnx, small_data, table))
    qtable = tmp_path / "q.qtable"
    qtable.write_text("* f32\n")
    expected = plain_outputs(small_onnx, small_data, table, qtable, "f32")
    assert len(network.groups) >= 5
    for group in network.groups.values():
        rows = [f"{written_name(layer)} {scheme}\n" for layer in group.layers]
        qtable.write_text("".join(rows))
        found = plain_outputs(small_onnx, small_data, table, qtable, None)
        measured = network.measure(Choice({group.name: scheme}, "f32", "table"))
        assert measured["loss"] == pytest.approx(plain_loss(expected, found, 8), abs=1e-6)


def test_what_is_measured_does_not_depend_on_what_was_before(
    small_onnx: Path, small_data: Path, table: Path
):
    source = source_of(small_onnx, small_data, table)
    network = QuantizedNetwork(source)
    points = [Choice({name: "int8"}, "f32", "table").to_json() for name in network.groups]
    forward, backward = ChoiceEvaluator(source), ChoiceEvaluator(source)
    one = [forward.evaluate(point) for point in points]
    assert one == [backward.evaluate(point) for point in reversed(points)][::-1]


def test_groups_are_what_is_quantized_as_one(small_onnx: Path, small_data: Path, table: Path):
    network = QuantizedNetwork(source_of(small_onnx, small_data, table))
    assert [(each.kind, *each.layers) for each in network.groups.values()][:3] == [
        ("conv2d", "c1", "r1"), ("conv2d", "c2"), ("add", "a"),
    ]  # fmt: skip
    assert network.groups["a"].reads == ["c2", "r1"]
    assert network.groups["r1"].inputs == ["x"]


def test_the_files_that_it_writes(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path
):
    words = [small_onnx, "--calibration", table, "--data", small_data, "--max-float-layers", 1]
    names = ("l.csv", "n.calibration", "m.qtable", "a.log", "p.svg", "r.jsonl")
    out = {name: tmp_path / name for name in names}
    files = ["-o", out["l.csv"], "--new-table", out["n.calibration"], "--qtable-out", out["m.qtable"],
             "--log", out["a.log"], "--plot", out["p.svg"], "--record", out["r.jsonl"]]  # fmt: skip
    ran = smalti("sensitivity", *words, *files)
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(out["l.csv"].open()))
    losses = [float(row["loss"]) for row in rows]
    assert losses == sorted(losses, reverse=True) and losses[0] > 0
    assert float(rows[0]["loss"]) == min(
        float(rows[0][f"loss_{each}"]) for each in ("table", "kl", "mse")
    )
    assert rows[0]["layer"] in out["m.qtable"].read_text()
    assert f"0  {rows[0]['layer']}" in out["a.log"].read_text()
    assert "cosine" in out["a.log"].read_text() and "MiB" in out["a.log"].read_text()
    assert out["p.svg"].read_text().startswith("<?xml")
    again = smalti("sensitivity", *words, "--record", out["r.jsonl"], "--jobs", 2)
    assert again.out == ran.out
    assert len(out["r.jsonl"].read_text().splitlines()) == 1 + _points(out)
    program = tmp_path / "m.smalti"
    tables = ["--calibration", out["n.calibration"], "--qtable", out["m.qtable"]]
    ran = smalti("compile", small_onnx, *tables, "-o", program)
    assert ran.code == 0, ran.err
    other = smalti("sensitivity", *words, "--record", out["r.jsonl"], "--inference-num", 4)
    assert_diagnostic(other, "the record is of another search: data is")


def _points(out: dict[str, Path]) -> int:
    lines = [json.loads(line) for line in out["r.jsonl"].read_text().splitlines()[1:]]
    return len({json.dumps(line["point"], sort_keys=True) for line in lines})


def test_it_stops_at_once_when_the_goal_is_reached(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path
):
    words = [small_onnx, "--calibration", table, "--data", small_data]
    ran = smalti("sensitivity", *words, "--expected-cos", 0.9)
    assert ran.code == 0 and "no layer was measured" in ran.out
    ran = smalti("sensitivity", *words, "--expected-cos", 1, "--max-float-layers", 2, "--quick")
    assert ran.code == 0 and "which is short of a cosine of 1" in ran.out


def test_a_scheme_that_quantizes_nothing(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path
):
    words = [small_onnx, "--calibration", table, "--data", small_data, "--method", "table"]
    ran = smalti("sensitivity", *words, "--scheme", "f32")
    assert ran.code == 0 and "mixed: no layer in f32" in ran.out, ran.err


def test_outputs_that_overflow_are_lost():
    """Whatever the finite ones are."""
    floats = {"y": np.array([[1.0, 2.0], [1e6, 2.0]], np.float32)}
    halves = {"y": np.array([[1.0, 2.0], [np.inf, 2.0]], np.float32)}
    assert Judge().measure(floats, halves, 2)["loss"] == 0.5


METRICS = """
import numpy as np
def close(floats, quantized): return -max(float(np.abs(floats[n] - quantized[n]).max()) for n in floats)
def raises(floats, quantized): return floats["none"]
def words(floats, quantized): return "good"
def endless(floats, quantized): return float("nan")
def PostProcess(outputs): return {"best": np.sort(outputs["y"])[..., -2:]}
"""


def test_a_metric_and_post_processing_of_ones_own(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path
):
    own = tmp_path / "own.py"
    own.write_text(METRICS)
    words = [small_onnx, "--calibration", table, "--data", small_data, "--method", "table"]
    ran = smalti("sensitivity", *words, "--metric", f"{own}:close", "--post-process", own)
    assert ran.code == 0 and "metric" in ran.out, ran.err
    for name, message in {
        "raises": "the metric ends with KeyError: 'none'",
        "words": "the metric returns str, expected a finite number",
        "endless": "the metric returns nan, expected a finite number",
        "clos": "did you mean close?",
    }.items():
        told = smalti("sensitivity", *words, "--metric", f"{own}:{name}")
        assert_diagnostic(told, message, f"--metric {own}:{name}")
    record = ["--metric", f"{own}:close", "--record", tmp_path / "r.jsonl"]
    assert smalti("sensitivity", *words, *record).code == 0
    own.write_text(METRICS.replace("return -max", "return -2 * max"))
    told = smalti("sensitivity", *words, *record)
    assert_diagnostic(told, "the record is of another search: code is")
    assert_diagnostic(smalti("sensitivity", *words, "--metric", "none.such:f"), "none.such")
    assert_diagnostic(smalti("sensitivity", *words, "--metric", "close"), "names no function")
    (tmp_path / "empty.py").touch()
    told = smalti("sensitivity", *words, "--post-process", tmp_path / "empty.py")
    assert_diagnostic(told, "the file defines no PostProcess", "empty.py")


def test_images_are_what_they_are_preprocessed_to(
    smalti: Smalti, small_onnx: Path, table: Path, tmp_path: Path
):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)
    folder, arrays = tmp_path / "images", tmp_path / "x.npz"
    folder.mkdir()
    for index, each in enumerate(pixels):
        image.fromarray(each).save(folder / f"{index}.png")
    fed = (pixels.astype(np.float32) - np.float32(127.5)) * np.float32(0.01)
    np.savez(arrays, x=fed.transpose(0, 3, 1, 2))
    words = ["sensitivity", small_onnx, "--calibration", table, "--method", "table", "--quick"]
    options = ("--mean", 127.5, "--scale", 0.01)
    expected = smalti(*words, "--data", arrays)
    found = smalti(*words, "--data", folder, *options)
    assert found.code == 0 and found.out == expected.out, found.err
    (folder / "bad.png").write_bytes(b"no image")
    assert_diagnostic(smalti(*words, "--data", folder, *options), "bad.png", "--skip-bad")
    skipped = smalti(*words, "--data", folder, *options, "--skip-bad")
    assert skipped.code == 0 and skipped.out == expected.out


def test_mistakes(smalti: Smalti, small_onnx: Path, small_data: Path, table: Path, tmp_path: Path):
    words = ["sensitivity", small_onnx, "--calibration", table, "--data", small_data]
    assert_diagnostic(smalti(*words, "--method", "kll"), "no calibration method 'kll'")
    assert_diagnostic(smalti(*words, "--plot", tmp_path / "p.txt"), "cannot be written as '.txt'")
    assert_diagnostic(smalti(*words, "--jobs", 2, "--scheduler", "tcp://x:1"), "leave one of them")
    assert_diagnostic(smalti(*words, "--method", "best-of"), "best-of chooses among methods")
    ran = smalti(*words, "--expected-cos", 2)
    assert ran.code == 2 and "2 is not from 0 to 1" in ran.err
    other = tmp_path / "other.calibration"
    other.write_text("nothing 1 -1 1\n")
    words[3] = other
    assert_diagnostic(smalti(*words), "names no layer of the network", "other.calibration")
