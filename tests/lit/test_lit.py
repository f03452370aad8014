"""Runs the golden tests in this process: each RUN line's commands are called as functions, not started.

A process per command would cost half a second a test. The files stay what `lit` reads; CI runs `lit` itself too.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from smalti.tools import opt

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.rglob("*.mlir") if "Output" not in path.parts)
RUN_LINE = re.compile(r"^\s*//\s*RUN:\s*(.*)$", re.MULTILINE)


def run_lines(path: Path) -> list[str]:
    """The RUN lines of a test, lines that end in a backslash joined with the next."""
    joined = "\n".join(RUN_LINE.findall(path.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return joined.splitlines()


def call(main: Callable[[], int], stdin: str) -> tuple[int, str, str]:
    """Calls a program's main with text on standard input: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main()
            except SystemExit as stop:
                code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def smalti_opt(argv: list[str], stdin: str) -> tuple[int, str, str]:
    """`smalti-opt argv`."""
    return call(lambda: opt.main(argv), stdin)


def filecheck(argv: list[str], stdin: str) -> tuple[int, str, str]:
    """`filecheck argv`."""
    return call(lambda: Matcher.from_opts(parse_argv_options(["filecheck", *argv])).run(), stdin)


def external(argv: list[str], stdin: str) -> tuple[int, str, str]:
    """A program that is not ours; the test is skipped where it is not installed."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def run_command(argv: list[str], stdin: str) -> tuple[int, str, str]:
    """One command of a RUN line; `not` inverts the exit code; `2>&1` joins the streams."""
    join = "2>&1" in argv
    argv = [word for word in argv if word != "2>&1"]
    if argv[0] == "not":
        code, out, err = run_command(argv[1:], stdin)
        code = 0 if code else 1
    else:
        programs = {"smalti-opt": smalti_opt, "filecheck": filecheck}
        if argv[0] in programs:
            code, out, err = programs[argv[0]](argv[1:], stdin)
        else:
            code, out, err = external(argv, stdin)
    return (code, out + err, "") if join else (code, out, err)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_golden(path: Path, tmp_path: Path):
    lines = run_lines(path)
    assert lines, f"{path} has no RUN line"
    for line in lines:
        line = (
            line.replace("%s", str(path))
            .replace("%S", str(path.parent))
            .replace("%t", str(tmp_path / "t"))
        )
        for command in line.split("&&"):
            text = ""
            for stage in command.split(" | "):
                code, text, err = run_command(shlex.split(stage), text)
                assert code == 0, f"{stage.strip()}\nexit code {code}\n{err}\n{text[-4000:]}"


def test_a_wrong_check_fails(tmp_path: Path):
    """The harness can fail: a CHECK line that the output does not hold is an error."""
    test = tmp_path / "wrong.mlir"
    test.write_text("// CHECK: something that is not there\n")
    code, _, _ = filecheck([str(test)], "builtin.module {}\n")
    assert code != 0
