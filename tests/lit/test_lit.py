"""The golden tests: every RUN line of every file, in this process; `lit tests/lit` runs the same files."""

from pathlib import Path

import pytest
from smalti.tools.lit_runner.golden_test import check, golden_files
from smalti.tools.lit_runner.shell import MissingProgram, run

HERE = Path(__file__).parent
FILES = golden_files(HERE)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_golden(path: Path, tmp_path: Path, pytestconfig: pytest.Config):
    try:
        check(path, tmp_path, refresh=pytestconfig.getoption("--update-golden"))
    except MissingProgram as missing:
        pytest.skip(str(missing))


def test_a_wrong_check_fails(tmp_path: Path):
    """The harness can fail: a CHECK line that the output does not hold is an error."""
    test = tmp_path / "wrong.mlir"
    test.write_text("// CHECK: something that is not there\n")
    assert run(f"echo nothing | filecheck {test}")[0] != 0
    assert run("not smalti-opt --help")[0] != 0
    assert run("smalti-opt no_such_file.mlir | cat")[0] != 0


def test_the_shell_joins_and_parts_the_streams(tmp_path: Path):
    file = tmp_path / "out"
    code, out, err = run("not smalti-opt no_such_file.mlir")
    assert (code, out) == (0, "") and "no_such_file.mlir: error" in err
    code, out, err = run("not smalti-opt no_such_file.mlir 2>&1 | cat")
    assert (code, err) == (0, "") and "no_such_file.mlir: error" in out
    code, out, err = run(f"not smalti-opt no_such_file.mlir 2> {file}")
    assert (out, err) == ("", "") and "error" in file.read_text()
    code, out, err = run(f"echo a > {file} && cat {file} || echo b; echo c")
    assert (code, out) == (0, "a\nc\n")
