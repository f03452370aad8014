"""The legality table says what the compiler does, on every target."""

import csv
import json
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import shipped_targets
from smalti.compiler.analysis.legality import (
    TYPES,
    Row,
    legality_table,
    start_from_case,
    verdict,
    verdict_of,
)
from smalti.compiler.analysis.legality_cases import cases
from smalti.dialects.context import DIALECTS
from smalti.dialects.ir.text.module_text import verify
from smalti.tools.main import main

from tests.commit_seed import share_of_commit
from tests.shared_files import ROOT

CASES = {f"{case.op.name} {case.kind}".strip(): case for case in cases()}


def test_every_op_that_computes_has_a_case():
    ops = {op.name for op in DIALECTS["top"]().operations} - {"top.weight"}
    assert {case.op.name for case in CASES.values()} == ops
    assert len(CASES) > len(ops), "kinds are cases of their own"


@pytest.mark.parametrize(
    ("name", "computed", "type", "engine", "ops", "reason"),
    [
        ("top.conv2d", 1, "int8", "matrix", ("tpu.conv2d i8",), ""),
        ("top.conv2d", 1, "bf16", "matrix", ("tpu.conv2d bf16",), ""),
        ("top.conv2d depthwise", 1, "f32", "vector", ("tpu.conv2d f32",), ""),
        ("top.matmul", 2, "f16", "matrix", ("tpu.matmul f16",), ""),
        ("top.matmul of one row", 2, "f16", "vector", ("tpu.matmul f16",), ""),
        ("top.softmax", 1, "int8", "vector", ("tpu.softmax f32",), "computed in f32 between casts"),
        ("top.softmax", 1, "f32", "vector", ("tpu.softmax f32",), ""),
        ("top.unary gelu", 1, "int8", "vector", ("tpu.lookup i8",), "looked up in a table"),
        ("top.div", 1, "int8", "vector", ("tpu.mul i8",), ""),
        ("top.div", 2, "int8", "vector", ("tpu.div f32",), "computed in f32 between casts"),
        ("top.concat", 2, "int8", "transfers", ("tpu.concat i8",), ""),
        ("top.cast", 1, "f32", "removed", (), "nothing is left of it"),
        ("top.call argmax", 1, "f16", "host", ("tpu.host_call i64",), ""),
        (
            "top.call cumsum",
            1,
            "int8",
            "host",
            ("tpu.host_call f32",),
            "computed in f32 between casts",
        ),
        ("top.call add", 1, "int8", "host", ("tpu.host_call i64",), "of integers"),
        ("top.call gather", 2, "f16", "transfers", ("tpu.gather f16",), ""),
        ("top.logical and", 2, "f32", "vector", ("tpu.logical bool",), "of bools"),
    ],
)
def test_verdict(
    name: str, computed: int, type: str, engine: str, ops: tuple[str, ...], reason: str
):
    found = verdict(CASES[name], type, "default-8c", computed)  # pyright: ignore[reportArgumentType]
    assert (found.engine, found.ops, found.reason) == (engine, ops, reason)


def test_no_has_the_diagnostic_as_its_reason():
    found = verdict(CASES["top.batch_norm"], "f32", "default-8c", 2)
    assert found.engine == "no" and "no counterpart in tpu" in found.reason


def test_a_type_that_the_matrix_unit_lacks():
    """The product is computed in f32 there, and a depthwise convolution as it is."""
    target = str(ROOT / "tests/lit/passes/tpu/Inputs/no_bf16.toml")
    found = verdict(CASES["top.conv2d"], "bf16", target, 1)
    assert (found.engine, found.ops) == ("matrix", ("tpu.conv2d f32",))
    assert found.reason == "no bf16 in the matrix unit: computed in f32 between casts"
    assert verdict(CASES["top.conv2d"], "f16", target, 1).reason == ""
    assert verdict(CASES["top.conv2d depthwise"], "bf16", target, 1).reason == ""


def test_no_such_target():
    with pytest.raises(DiagnosticError, match="there is no target 'nowhere'"):
        legality_table("nowhere")


def rows(*texts: str) -> list[Row]:
    """The rows of an edge part's table for some cases."""
    return [
        Row(text, "", tuple(verdict(CASES[text], type, "edge-1c", 1) for type in TYPES))
        for text in texts
    ]


def test_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Text, JSON on stdout, JSON and CSV files; the table itself is computed once, for two ops."""
    table = rows("top.relu", "top.softmax")
    monkeypatch.setattr(
        "smalti.compiler.analysis.legality.legality_table", lambda target, ops: table
    )
    assert main(["ops", "--target", "edge-1c", "-o", str(tmp_path / "t.csv")]) == 0
    text = capsys.readouterr().out
    assert "target edge-1c" in text and "computed in f32 between casts" in text
    with (tmp_path / "t.csv").open() as file:
        read = list(csv.DictReader(file))
    assert main(["ops", "--target", "edge-1c", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == read
    assert [each["type"] for each in read] == [*TYPES, *TYPES]
    assert {each["engine"] for each in read} == {"vector"}


def test_command_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["ops", "-o", str(tmp_path / "t.csv")]) == 1
    assert "say --target NAME" in capsys.readouterr().err
    assert main(["ops", "--op", "top.relu"]) == 1
    assert "--op is for the table of a target" in capsys.readouterr().err
    assert main(["ops", "--target", "edge-1c", "--op", "top.rellu"]) == 1
    assert "did you mean top.relu" in capsys.readouterr().err
    assert main(["ops", "--target", "default-8c", "-o", str(tmp_path / "t.txt")]) == 1
    assert "a table cannot be written as '.txt'" in capsys.readouterr().err
    assert main(["ops", "--target", "nowhere"]) == 1
    assert "there is no target 'nowhere'" in capsys.readouterr().err


def test_a_table_of_some_ops():
    found = legality_table("edge-1c", ["top.relu", "top.conv2d"])
    assert {row.op for row in found} == {"top.relu", "top.conv2d"}
    assert any(row.case == "constant weight, bias" for row in found)


@pytest.mark.slow
@pytest.mark.parametrize("target", shipped_targets())
def test_the_engine_named_computes(target: str):
    """Each case runs where the table says so: the simulator counts products on the matrix unit for
    those of the matrix unit, and for no other. A third of the cases and types, another for each target and commit.
    """
    pairs = [(case, type) for case in CASES.values() for type in TYPES[:3]]
    for case, type in share_of_commit(
        pairs, 3, lambda pair: f"{target} {pair[0].op.name} {pair[0].kind} {pair[1]}"
    ):
        compilation = start_from_case(case, type, target, 1)
        compilation.on_level = lambda level, module: verify(module)
        found = verdict_of(compilation)
        assert found.engine != "no", (case, type, found)
        timing = simulate(compilation.assemble(), mode="timing").timing
        assert timing is not None
        assert (timing.macs > 0) == (found.engine == "matrix"), (case, type, found)
