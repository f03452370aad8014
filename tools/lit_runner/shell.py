"""Runs the RUN lines of golden tests in this process: lit's own reader of shell lines, and our programs as functions.

A process per command would cost a second of CPU time a RUN line. What is understood is what lit's internal shell
understands: pipes, `&&`, `||`, `;`, redirections, `not`. pytest (golden_test.py) and lit (in_process_format.py) both
run the golden tests with it.
"""

import contextlib
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from lit.ShCommands import Command, Pipeline, Seq
from lit.ShUtil import ShParser

from .. import main as smalti_main
from .. import opt

RUN_LINE = re.compile(r"^\s*(?://|#)\s*RUN:\s*(.*)$", re.MULTILINE)
Result = tuple[int, str, str]
"""Exit code, standard output, standard error."""


class MissingProgram(Exception):
    """A RUN line calls a program that is not installed here."""


def run_lines(path: Path) -> list[str]:
    """Return the RUN lines of a test, lines that end in a backslash joined with the next."""
    joined = "\n".join(RUN_LINE.findall(path.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [str(line) for line in joined.splitlines()]


def substituted(line: str, path: Path, temporary: Path) -> str:
    """Return a RUN line with lit's substitutions: %s the test, %S its folder, %t a file of its own."""
    found = {"%%": "%", "%s": str(path), "%S": str(path.parent), "%t": str(temporary)}
    return re.sub(r"%[%sSt]", lambda match: found[match[0]], line)


def run(line: str) -> Result:
    """Run a shell line; every command of a pipe has to succeed, as lit demands."""
    return _node(ShParser(line, pipefail=True).parse())


def piped_into_filecheck(line: str) -> tuple[Result, list[str]] | None:
    """Return what the commands before `| filecheck` print, and the words of its own command; None for other lines."""
    parsed = ShParser(line, pipefail=True).parse()
    if not isinstance(parsed, Pipeline) or parsed.commands[-1].args[0] != "filecheck":
        return None
    return _pipeline(Pipeline(parsed.commands[:-1])), [
        str(word) for word in parsed.commands[-1].args
    ]


def smalti_opt(argv: list[str], stdin: str = "") -> Result:
    """Run `smalti-opt argv`, each stream by itself."""
    return _call(lambda: opt.main(argv), stdin, joined=False)


def _node(node: Seq | Pipeline) -> Result:
    if isinstance(node, Pipeline):
        return _pipeline(node)
    code, out, err = _node(node.lhs)
    if (node.op == "&&" and code) or (node.op == "||" and not code):
        return code, out, err
    code, more_out, more_err = _node(node.rhs)
    return code, out + more_out, err + more_err


def _pipeline(pipeline: Pipeline) -> Result:
    text, errors, failed = "", "", 0
    for command in pipeline.commands:
        code, text, err = _command(command, text)
        errors += err
        failed = failed or code
    return failed, text, errors


def _command(command: Command, stdin: str) -> Result:
    targets: dict[int, str] = {}
    joined = False
    for operator, argument in command.redirects:
        match operator:
            case ("<",):
                stdin = Path(argument).read_text(encoding="utf-8")
            case (">",) | (">", 1):
                targets[1] = argument
            case (">", 2):
                targets[2] = argument
            case (">&", 2) if argument == "1":
                # In the order of the shell: to where standard output goes by now.
                joined = 1 not in targets
                targets |= {2: targets[1]} if 1 in targets else {}
            case _:
                raise ValueError(f"the in-process shell does not know {operator[0]} {argument}")
    code, out, err = _program([str(word) for word in command.args], stdin, joined)
    if joined and 1 in targets:
        # `2>&1 >file`: what was written to standard error goes on, standard output to the file.
        raise ValueError("write 2>&1 after the redirection of standard output")
    for stream, target in targets.items():
        _write(target, out if stream == 1 else err)
    return code, "" if 1 in targets else out, "" if 2 in targets else err


def _write(target: str, text: str) -> None:
    if target != "/dev/null":
        Path(target).write_text(text, encoding="utf-8")


def _program(argv: list[str], stdin: str, joined: bool) -> Result:
    name, *rest = argv
    match name:
        case "not":
            code, out, err = _program(rest, stdin, joined)
            return int(code == 0), out, err
        case "smalti-opt":
            return _call(lambda: opt.main(rest), stdin, joined)
        case "smalti":
            return _call(lambda: smalti_main.main(rest), stdin, joined)
        case "filecheck":
            options = parse_argv_options(argv)
            return _call(lambda: Matcher.from_opts(options).run(), stdin, joined)
        case "cat" if rest:
            return 0, "".join(Path(file).read_text(encoding="utf-8") for file in rest), ""
        case _:
            return _external(argv, stdin)


def _call(main: Callable[[], int], stdin: str, joined: bool) -> Result:
    """Call a program's main with text on standard input; `joined`: standard error goes where output goes."""
    out = io.StringIO()
    err = out if joined else io.StringIO()
    with _standard_input(stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, out.getvalue(), "" if joined else err.getvalue()


@contextlib.contextmanager
def _standard_input(text: str) -> Iterator[None]:
    """Make `text` what is read from standard input inside the block."""
    before = sys.stdin
    sys.stdin = io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


def _external(argv: list[str], stdin: str) -> Result:
    """Run a program that is not ours, as a process of its own.

    Raises:
        MissingProgram: if it is not installed.
    """
    if shutil.which(argv[0]) is None:
        raise MissingProgram(f"{argv[0]} is not installed")
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr
