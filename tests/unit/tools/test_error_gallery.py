"""The gallery of wrong inputs: every message says what is wrong, where, and what to do, and never is a traceback.

The golden files in tests/lit/errors and tests/lit/driver hold the messages to the letter; here each is judged.
"""

import re

import pytest
from smalti.compiler.driver.split_input import split_input
from smalti.tools.lit_runner.shell import run, run_lines, smalti_opt, substituted

from tests.shared_files import ROOT

LIT = ROOT / "tests" / "lit"
KINDS = ("syntax", "values", "types", "attributes", "structure")
IR = [
    (kind, number, chunk)
    for kind in KINDS
    for number, chunk in enumerate(split_input((LIT / "errors" / f"{kind}.mlir").read_text()))
]
COMMANDS = [
    (path, line)
    for path in (LIT / "errors" / "options.mlir", LIT / "driver" / "pipeline_errors.mlir")
    for line in run_lines(path)
]
_SAYS_WHAT_TO_DO = re.compile(
    r"\bhint: |\bexpected\b|\bneeded\b|\bdid you mean\b|\bis given twice\b|\bat most\b|\boutside the\b"
    r"|\bis not one of\b|\bmust be\b|\bshould be\b|\bis not a\b|\bnames are unique\b|\bnot allowed with\b"
    r"|\bneither true nor false\b|\binvalid (?:int value|choice)\b|\bno option\b|\bcannot read\b"
    r"|\bunknown argument\b|\bhas a size that is not known\b"
)


def test_there_are_many_kinds_of_mistakes():
    assert len(IR) >= 50 and len(IR) + len(COMMANDS) >= 75


@pytest.mark.parametrize(("kind", "number", "chunk"), IR, ids=lambda value: str(value)[:12])
def test_messages_about_ir(kind, number, chunk, tmp_path):
    file = tmp_path / f"{kind}.mlir"
    file.write_text("\n" * (chunk.first_line - 1) + chunk.text)
    code, out, err = smalti_opt([str(file)])
    assert (code, out) == (1, "") and "Traceback" not in err
    lines = err.splitlines()
    what = re.search(r": error: (.{8,})", lines[0])
    assert what is not None and not re.search(r"\b0x[0-9a-f]{6}|object at|<class", what[1]), err
    assert _SAYS_WHAT_TO_DO.search(err), err
    where = re.match(r".*\.mlir:(\d+):(\d+): error: ", lines[0])
    if where is None:
        # What is about the file, not about a place in it.
        assert "cannot read the weights" in err, err
        return
    line, column = int(where[1]), int(where[2])
    source = file.read_text().splitlines()[line - 1]
    assert lines[1].strip() in source and lines[2].strip() == "^"
    assert line >= chunk.first_line and lines[2].index("^") == column - 1


@pytest.mark.parametrize(("path", "line"), COMMANDS, ids=lambda value: str(value)[-40:])
def test_messages_about_pipelines_and_options(path, line, tmp_path):
    command = substituted(line, path, tmp_path / "t").partition("|")[0]
    code, out, _ = run(command)
    assert code == 0, "the command has to fail, which `not` turns round"
    assert "Traceback" not in out
    assert re.search(r"error: .{8,}", out), out
    assert _SAYS_WHAT_TO_DO.search(out), out


def test_a_traceback_is_shown_on_demand_only(tmp_path):
    file = tmp_path / "wrong.mlir"
    file.write_text("%")
    assert "Traceback" not in smalti_opt([str(file)])[2]
    assert "Traceback" in smalti_opt([str(file), "--debug"])[2]


def test_a_mistake_in_the_program_is_told_as_such(tmp_path, monkeypatch):
    from smalti.passes.common_subexpressions import CommonSubexpressions

    def broken(self, ctx, module):
        raise KeyError("lost")

    monkeypatch.setattr(CommonSubexpressions, "run", broken)
    file = tmp_path / "f.mlir"
    file.write_text("builtin.module {}\n")
    code, _, err = smalti_opt([str(file), "--cse"])
    assert code == 1 and "Traceback" not in err
    assert "error: internal error: KeyError: 'lost'" in err and "in pass 'cse'" in err
