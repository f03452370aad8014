"""Long steps show a bar on a terminal, also while they report nothing; short ones and pipes show none."""

import io
import itertools
import re
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
from onnx import helper
from smalti.backends.diagnostics.progress import step_of
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.tools import bisect, opt, reduce
from smalti.tools.console import progress_bar as module
from smalti.tools.console.progress_bar import progress_bar

from tests.unit.compiler.debugging.faulty_passes import faulty_passes, ir_experiment
from tests.unit.compiler.onnx_import.onnx_models import model_of

__all__ = ["faulty_passes"]

CONV = Path(__file__).parents[2] / "data" / "conv.top.mlir"

PATIENCE = 0.05


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show_on(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch):
    """Let standard error be a stream; not in a fixture, since pytest replaces it before the test begins."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)


def test_a_step_that_reports_nothing_shows_a_bar(monkeypatch: pytest.MonkeyPatch):
    stream = Terminal()
    show_on(stream, monkeypatch)
    with progress_bar() as progress:
        progress("tile-order", 0, 3)
        deadline = time.monotonic() + 20
        while "tile-order" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(PATIENCE)
        assert "tile-order" in stream.getvalue()


def test_a_short_step_shows_none(monkeypatch: pytest.MonkeyPatch):
    stream = Terminal()
    show_on(stream, monkeypatch)
    with progress_bar() as progress:
        progress("cse", 0, 1)
        progress("cse", 1, 1)
        time.sleep(4 * PATIENCE)
        progress("left", 0, 1)
    time.sleep(4 * PATIENCE)
    assert stream.getvalue() == ""


def test_a_pipe_shows_none(monkeypatch: pytest.MonkeyPatch):
    pipe = io.StringIO()
    show_on(pipe, monkeypatch)
    with progress_bar() as progress:
        progress("tile-order", 0, 3)
        time.sleep(4 * PATIENCE)
    assert pipe.getvalue() == ""


def test_a_compilation_tells_its_steps():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="relu"),
        helper.make_node("Exp", ["a"], ["y"], name="exp"),
    ]
    told: list[tuple[str, int, int]] = []
    compilation = start_from_model(
        model_of(nodes, {"x": (2, 3)}),
        CompileOptions("edge-1c", None, "f32"),
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert told == [("import", 0, 2), ("import", 1, 2), ("import", 2, 2)]
    compilation.assemble()
    assert told[-2:] == [("encode", 0, 1), ("encode", 1, 1)]
    last = {step_of(what): (done, total) for what, done, total in told}
    assert all(done == total for done, total in last.values())
    names = [what.removeprefix("passes: ") for what, _, _ in told if what.startswith("passes: ")]
    assert {"canonicalize", "convert-top-to-tpu", "tile-cut-to-local-memory"} <= set(names)


def test_the_bar_shows_what_a_step_is_at(monkeypatch: pytest.MonkeyPatch):
    """One bar for all passes, though each of them is short."""
    stream = Terminal()
    show_on(stream, monkeypatch)
    with progress_bar() as progress:
        deadline = time.monotonic() + 20
        for number in itertools.count():
            progress(f"passes: number-{number}", 0, 1)
            time.sleep(PATIENCE / 4)
            if stream.getvalue().count("number-") > 1 or time.monotonic() > deadline:
                break
    assert len(set(re.findall(r"number-\d+", stream.getvalue()))) > 1


def test_smalti_opt_tells_its_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    told = recorded(monkeypatch, opt)
    path = tmp_path / "conv.top.mlir"
    path.write_text(CONV.read_text())
    assert opt.main([str(path), "-p", "canonicalize,cse", "-o", str(tmp_path / "out.mlir")]) == 0
    assert told == [
        ("passes: canonicalize", 0, 2),
        ("passes: canonicalize", 1, 2),
        ("passes: cse", 1, 2),
        ("passes: cse", 2, 2),
        ("passes", 2, 2),
    ]


@pytest.mark.usefixtures("faulty_passes")
def test_bisect_and_reduce_tell_their_steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    told = recorded(monkeypatch, bisect)
    path = tmp_path / "net.top.mlir"
    ir_experiment().save(path)
    words = [str(path), "-p", "cse,test-wrong-numbers", "--numerics", "random:0"]
    assert bisect.main(words) == 0
    assert told[:3] == [
        ("passes: cse", 0, 2),
        ("passes: test-wrong-numbers", 1, 2),
        ("passes", 2, 2),
    ]
    assert told[3] == ("rewrites: 1 to 66 of 66", 0, 7) and told[-1] == ("rewrites", 7, 7)
    told = recorded(monkeypatch, reduce)
    assert reduce.main([*words, "-o", str(tmp_path / "small.mlir")]) == 0
    assert told[0] == ("reduction: trial 1", 0, 198)
    assert told[-1] == ("reduction", 198, 198)
    assert ("reduction: trial 1", 197, 198) in [(told[0][0], *each[1:]) for each in told]


def recorded(monkeypatch: pytest.MonkeyPatch, tool: ModuleType) -> list[tuple[str, int, int]]:
    """Return the list in which the progress of a program will stand."""
    told: list[tuple[str, int, int]] = []
    context = nullcontext(lambda what, done, total: told.append((what, done, total)))
    monkeypatch.setattr(tool, "progress_bar", lambda: context)
    return told
