"""Long steps show a bar on a terminal, also while they report nothing; short ones and pipes show none."""

import io
import sys
import time

import pytest
from onnx import helper
from smalti.compiler.compilation.compilation import CompileOptions, start_from_model
from smalti.tools.console import progress_bar as module
from smalti.tools.console.progress_bar import progress_bar

from tests.unit.compiler.onnx_import.onnx_models import model_of

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
    last = {what: (done, total) for what, done, total in told}
    assert all(done == total for done, total in last.values())
