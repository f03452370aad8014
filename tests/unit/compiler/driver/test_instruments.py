"""Instruments beyond what the golden tests show: a terminal, files that cannot be written, several modules."""

import io
import json

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.driver.ir_difference import IrDifference
from smalti.compiler.driver.ir_printing import FolderSink, IrPrinting, PrintPoints
from smalti.compiler.driver.rewrite_log import RewriteLog
from smalti.compiler.driver.split_input import split_input
from smalti.compiler.driver.statistics import PassStatistics
from smalti.compiler.driver.timing import PassTiming, Stopwatch
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline

from tests.unit.sample_ir import TWO_RELUS as TEXT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(pipeline, *instruments, times=1):
    passes = parse_pipeline(pipeline)
    for _ in range(times):
        ctx = make_context()
        run_pipeline(ctx, parse_module(TEXT, ctx), passes, instruments=instruments)


@pytest.mark.parametrize(("stream", "colored"), [(Terminal(), True), (io.StringIO(), False)])
def test_differences_are_colored_on_a_terminal_only(stream, colored):
    run("cse", IrDifference(print_module, stream))
    assert ("\x1b[31m-" in stream.getvalue()) is colored
    assert "%b = top.relu" in stream.getvalue()


def test_a_folder_that_cannot_be_made_is_a_diagnostic(tmp_path):
    (tmp_path / "file").write_text("")
    sink = FolderSink(tmp_path / "file" / "folder")
    with pytest.raises(DiagnosticError, match="cannot make the folder"):
        run("cse", IrPrinting(PrintPoints(after_all=True), print_module, sink))


def test_numbers_of_files_go_on_over_several_pipelines(tmp_path):
    points = PrintPoints(before_all=True, after_all=True)
    run("cse,canonicalize", IrPrinting(points, print_module, FolderSink(tmp_path)), times=2)
    index = json.loads((tmp_path / "index.json").read_text())
    assert [entry["number"] for entry in index] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all((tmp_path / entry["file"]).is_file() for entry in index)


def test_statistics_add_up_over_modules():
    statistics = PassStatistics()
    run("cse,canonicalize", statistics, times=3)
    assert json.loads(statistics.report("json")) == [
        {"pass": "cse", "statistics": {"merged": 3}},
        {"pass": "canonicalize", "statistics": {"canonicalize_op": 0}},
    ]


def test_times_make_a_tree_that_adds_up():
    stopwatch = Stopwatch()
    run("cse,cse,canonicalize", PassTiming(stopwatch), times=2)
    tree = json.loads(stopwatch.report("json"))
    (pipeline,) = tree["steps"]
    names = {step["name"]: step for step in pipeline["steps"]}
    assert list(names) == ["(verify)", "cse", "canonicalize"]
    assert names["cse"]["count"] == 4 and pipeline["count"] == 2
    inner = sum(step["wall_seconds"] for step in pipeline["steps"])
    assert inner <= pipeline["wall_seconds"] + 1e-5


def test_the_rewrites_of_further_pipelines_are_added(tmp_path):
    log = tmp_path / "rewrites.json"
    text = TEXT.replace("top.relu", "top.reshape")
    instrument = RewriteLog(log)
    for _ in range(2):
        ctx = make_context()
        module = parse_module(text, ctx)
        run_pipeline(ctx, module, parse_pipeline("top-fold-shapes"), instruments=[instrument])
    numbers = [json.loads(line)["number"] for line in log.read_text().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 2
    with pytest.raises(DiagnosticError, match="cannot write"):
        run("cse", RewriteLog(tmp_path / "no" / "folder"))


def test_input_is_split_at_lines_that_are_marks_only():
    text = 'a\n// -----\nb "// -----"\n  // -----  \n// ----- c\nd'
    assert split_input(text) == [
        ("a\n", 1),
        ('b "// -----"\n', 3),
        ("// ----- c\nd", 5),
    ]
