"""`smalti run --profile`, `--trace` and `--timeline`, and `smalti diff`, on a compiled network."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests.unit.backends.simulator.chrome_trace import read

NODES = {"first", "first_relu", "second", "sum", "mean", "flat", "classifier"}


def test_profile_as_text(smalti, small_files: Path):
    ran = smalti("run", small_files / "small.smalti", "--profile")
    assert ran.code == 0, ran.err
    assert max(len(line) for line in ran.out.splitlines()) <= 100
    assert "by node:" in ran.out and "by core, engine:" in ran.out
    assert "first + 1" in ran.out and "classifier" in ran.out
    ran = smalti("run", small_files / "small.smalti", "--profile-by", "engine")
    assert "by engine:" in ran.out and "by node:" not in ran.out


def test_profile_as_files(smalti, small_files: Path, small_data: Path, tmp_path: Path):
    program, table, text = small_files / "small.smalti", tmp_path / "p.json", tmp_path / "p.csv"
    ran = smalti("run", program, "--inputs", small_data, "--profile-output", table)
    assert ran.code == 0, ran.err
    assert "y: 8x5" in ran.out and "cycles" in ran.out
    data = json.loads(table.read_text())
    assert {node for row in data["rows"] for node in row["nodes"]} == NODES
    total = sum(row["critical_path_cycles"] for row in data["rows"])
    assert total == pytest.approx(data["run_cycles"])
    assert sum(row["share_percent"] for row in data["rows"]) == pytest.approx(100)
    assert smalti("run", program, "--profile-output", text).code == 0
    with text.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(data["rows"])
    assert sum(float(row["critical_path_cycles"]) for row in rows) == pytest.approx(total)
    units = ("_cycles", "_percent", "_bytes", "_count")
    assert all(name.endswith(units) for name in list(rows[0])[4:])


def test_trace(smalti, small_files: Path, tmp_path: Path):
    path = tmp_path / "trace.json"
    ran = smalti("run", small_files / "small.smalti", "--trace", path)
    assert ran.code == 0, ran.err
    trace = read(path.read_text())
    nodes = {
        node
        for track in trace.tracks.values()
        for slice_ in track.slices
        for node in slice_.args.get("nodes", "").split(" + ")
    }
    assert nodes >= NODES
    assert trace.flows
    assert ("shared memory and network", "global memory bandwidth (GB/s)") in trace.counters
    assert trace.counters["core 0", "local memory use (bytes)"][-1][1] == {"bytes": 0}


def test_timeline(smalti, small_files: Path, tmp_path: Path):
    path = tmp_path / "timeline.svg"
    ran = smalti("run", small_files / "small.smalti", "--timeline", path)
    assert ran.code == 0 and f"timeline written to {path}" in ran.out, ran.err
    picture = path.read_text()
    assert picture.startswith("<svg ") and "core 0</text>" in picture
    assert re.search(r"<title>load of \S+, [\d,]+ to [\d,]+</title>", picture)


def test_diff(smalti, small_files: Path, small_onnx: Path, small_data: Path, tmp_path: Path):
    one = tmp_path / "one.smalti"
    words = ["compile", small_onnx, "--calibration", small_data, "--cores", 1, "-o", one]
    assert smalti(*words).code == 0
    output = tmp_path / "difference.json"
    ran = smalti("diff", small_files / "small.smalti", one, "-o", output)
    assert ran.code == 0, ran.err
    assert (
        max(len(line) for line in ran.out.splitlines() if not line.startswith(("be", "af", "di")))
        <= 100
    )
    assert "(all)" in ran.out
    rows = json.loads(output.read_text())["rows"]
    assert {node for row in rows for node in row["nodes"]} == NODES
    assert any(row["changed"] for row in rows)
    assert "0 nodes changed" in smalti("diff", one, one).out


@pytest.mark.parametrize(
    "words, said",
    [
        (["--profile-by", "layer"], "by 'layer'"),
        (["--profile-output", "p.txt"], "'.txt'"),
        (["--trace", "t.pb"], "JSON"),
        (["--timeline", "t.png"], "SVG"),
        (["--timeline", "t.svg", "--mode", "functional"], "counts no cycles"),
        (["--profile", "--mode", "functional"], "counts no cycles"),
    ],
)
def test_wrong_arguments(smalti, small_files: Path, words: list[str], said: str):
    ran = smalti("run", small_files / "small.smalti", *words)
    assert ran.code == 1 and said in ran.err and "Traceback" not in ran.err


def test_inputs_are_kept(smalti, small_files: Path):
    program = small_files / "small.smalti"
    assert smalti("diff", program, program, "-o", program).code == 1
    assert smalti("run", small_files / "small.tile.mlir", "--profile").code == 1
