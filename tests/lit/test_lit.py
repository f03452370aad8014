"""The golden tests: every RUN line of every file, in this process; `lit tests/lit` runs the same files."""

from pathlib import Path

import pytest

from tests.lit.golden_update import COMMAND, is_generated, update
from tests.lit.shell import MissingProgram, run, run_lines, substituted

HERE = Path(__file__).parent
FILES = sorted(
    path
    for path in HERE.rglob("*.mlir")
    if not {"Output", "Inputs"} & set(path.relative_to(HERE).parts)
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_golden(path: Path, tmp_path: Path, pytestconfig: pytest.Config):
    if pytestconfig.getoption("--update-golden"):
        update(path, tmp_path / "file_of_a_golden_test")
    lines = run_lines(path)
    assert lines, f"{path} has no RUN line"
    generated = is_generated(path.read_text(encoding="utf-8"))
    hint = f"refresh it: {COMMAND}" if generated else "written by hand: change it by hand"
    for line in lines:
        line = substituted(line, path, tmp_path / "t")
        try:
            code, out, err = run(line)
        except MissingProgram as missing:
            pytest.skip(str(missing))
        assert code == 0, f"{line}\nexit code {code}\n{err}\n{out[-4000:]}\n{path}: {hint}"


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
