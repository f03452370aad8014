"""lit with our test format: what passes, what fails and what is left out, as lit itself would say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_files import ROOT

LIT = Path(sys.executable).with_name("lit")
FILES = {
    "passes": '// RUN: smalti-opt %s -p "cse" > %t.mlir && cat %t.mlir | filecheck %s\n// CHECK: builtin.module\n',
    "fails": "// RUN: smalti-opt %s | filecheck %s\n// CHECK: not in the output\n",
    "fails_first": "// RUN: smalti-opt %s.none\n// RUN: echo never seen\n",
    "expected": "// XFAIL: *\n// RUN: smalti-opt %s.none\n",
    "left_out": "// REQUIRES: another-machine\n// RUN: smalti-opt %s.none\n",
    "missing": "// RUN: no-such-program-anywhere %s\n",
    "syntax": "// RUN: smalti-opt %s >> %t\n",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite of small tests with the configuration of tests/lit."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.mlir").write_text(text + "builtin.module {}\n")
    (tmp_path / "lit.cfg.py").write_text(
        f"lit_config.load_config(config, {str(ROOT / 'tests' / 'lit' / 'lit.cfg.py')!r})\n"
        f"config.test_source_root = {str(tmp_path)!r}\n"
        f"config.test_exec_root = {str(tmp_path / 'Output')!r}\n"
    )
    return tmp_path


def lit(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of `lit`."""
    done = subprocess.run(
        [LIT, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def test_what_lit_reports(suite: Path):
    code, out = lit("-v", suite)
    assert code == 1
    for verdict, names in {
        "PASS": ["passes"],
        "FAIL": ["fails", "fails_first"],
        "UNRESOLVED": ["syntax"],
        "XFAIL": ["expected"],
        "UNSUPPORTED": ["left_out", "missing"],
    }.items():
        for name in names:
            assert f"{verdict}: smalti :: {name}.mlir" in out, out
    assert "# RUN: at line 1" in out and 'Couldn\'t match "not in the output"' in out
    assert "fails_first.mlir.none: error: cannot read" in out and "# RUN: at line 2" not in out
    assert "the in-process shell does not know >>" in out


def test_a_single_file(suite: Path):
    code, out = lit(suite / "passes.mlir")
    assert code == 0 and "Passed: 1 (100.00%)" in out


@pytest.mark.share(3)
def test_real_processes_on_demand(suite: Path):
    """`--param external=1` runs the same file by lit's own shell."""
    code, out = lit("-a", "--param", "external=1", suite / "passes.mlir")
    assert code == 0 and "# executed command: smalti-opt" in out
