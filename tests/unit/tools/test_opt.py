"""smalti-opt as a program: streams, exit codes, interruptions."""

import json
import os
import signal
from pathlib import Path

import pytest
from smalti.passes.common_subexpressions import CommonSubexpressions
from smalti.tools.arguments.pass_flags import take_pass_flags
from smalti.tools.lit_runner.shell import smalti_opt

from tests.unit.sample_ir import TWO_RELUS as TEXT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.mlir"
    path.write_text(TEXT)
    return path


def test_an_interruption_leaves_a_reproducer(file: Path, tmp_path: Path, monkeypatch):
    def interrupted(self, ctx, module):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(CommonSubexpressions, "run", interrupted)
    reproducer = tmp_path / "crash.mlir"
    words = [str(file), "--cse", f"--mlir-pass-pipeline-crash-reproducer={reproducer}"]
    code, out, err = smalti_opt(words)
    assert (code, out) == (130, "") and err.splitlines()[-1] == "interrupted"
    monkeypatch.undo()
    code, out, _ = smalti_opt(["--run-reproducer", str(reproducer)])
    assert code == 0 and "%c = top.add" in out and "%a, %a" in out


def test_ir_alone_goes_to_standard_output(file: Path):
    plain = smalti_opt([str(file), "--cse"])
    watched = smalti_opt(
        [
            str(file),
            "--cse",
            "--mlir-print-ir-after-all",
            "--print-ir-diff",
            "--mlir-timing",
            "--mlir-pass-statistics",
            "--dump-pass-pipeline",
        ]
    )
    assert plain[1:] == (watched[1], "") and "Execution time report" in watched[2]


def test_a_mistake_in_one_part_of_the_passes_does_not_stop_the_other_parts(file: Path, monkeypatch):
    run = CommonSubexpressions.run

    def broken(self, ctx, module):
        if any(op.name == "top.clip" for op in module.walk()):
            raise IndexError("clip")
        run(self, ctx, module)

    monkeypatch.setattr(CommonSubexpressions, "run", broken)
    clip = TEXT.replace('top.relu "b"', 'top.clip "b"')
    file.write_text("// -----\n".join([clip, TEXT]))
    code, out, err = smalti_opt([str(file), "--cse", "--split-input-file"])
    assert code == 1 and out.count("func.func") == 1
    assert "internal error: IndexError: clip" in err and "in pass 'cse'" in err


def test_pass_flags_take_options_after_an_equals_sign_only():
    words = ["--cse", "f.mlir", "--convert-top-to-tpu=quantize=f32 target=a.toml", "--", "--cse"]
    assert take_pass_flags(words) == (
        ["f.mlir", "--", "--cse"],
        ["cse", "convert-top-to-tpu{quantize=f32 target=a.toml}"],
    )


def test_lists_are_json_with_everything(file: Path):
    passes = json.loads(smalti_opt(["--list-passes", "--json"])[1])
    assert all(each["summary"] and each["level"] for each in passes)
    options = [option for each in passes for option in each["options"]]
    assert options and all(option["type"] and option["documentation"] for option in options)
    dialects = {
        each["name"]: each for each in json.loads(smalti_opt(["--list-dialects", "--json"])[1])
    }
    assert all(
        op["summary"] for name in ("top", "tpu", "tile") for op in dialects[name]["operations"]
    )
    assert any(each["is_type"] for each in dialects["quant"]["attributes"])
