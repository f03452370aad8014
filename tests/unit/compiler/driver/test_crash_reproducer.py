"""Reproducers: written for any failure, read back, run again."""

import builtins
import io
from dataclasses import dataclass

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.driver.crash_reproducer import CrashReproducer, read_reproducer
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.smalti_pass import SmaltiPass

TEXT = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = top.weight "w" key = "w" : tensor<4xf32>
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}
"""


@dataclass(frozen=True)
class Raises(SmaltiPass):
    """Raises what it is told to."""

    name = "raises"
    error: str = "KeyError"

    def run(self, ctx, module):
        raise getattr(builtins, self.error)("now")


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, RecursionError])
def test_any_failure_leaves_a_file_that_runs_again(tmp_path, error):
    ctx = make_context()
    module = parse_module(TEXT.replace('key = "w"', "seed = 3"), ctx)
    before = print_module(module)
    path, told = tmp_path / "crash.mlir", io.StringIO()
    passes = [*parse_pipeline("cse,canonicalize"), Raises(error.__name__)]
    with pytest.raises(error):
        run_pipeline(ctx, module, passes, instruments=[CrashReproducer(path, told)])
    text = path.read_text()
    assert f"--run-reproducer {path}" in told.getvalue()
    assert print_module(parse_module(text, make_context(), str(path))) == before
    assert "builtin.module(cse,canonicalize,raises" in read_reproducer(text, "crash.mlir").pipeline


def test_weights_go_beside_the_reproducer(tmp_path):
    import numpy as np

    ctx = make_context()
    ctx.weights.add("w", np.arange(4, dtype=np.float32))
    module = parse_module(TEXT, ctx)
    path = tmp_path / "crash.mlir"
    with pytest.raises(KeyError):
        run_pipeline(ctx, module, [Raises()], instruments=[CrashReproducer(path, io.StringIO())])
    again = make_context()
    parse_module(path.read_text(), again, str(path))
    assert again.weights.get("w").tolist() == [0, 1, 2, 3]


def test_what_goes_well_leaves_nothing(tmp_path):
    ctx = make_context()
    module = parse_module(TEXT, ctx)
    reproducer = CrashReproducer(tmp_path / "crash.mlir", io.StringIO())
    run_pipeline(ctx, module, parse_pipeline("cse"), instruments=[reproducer])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("", "the file is no reproducer"),
        ("{-# external_resources: { other: { pipeline: 1 } } #-}", "the file is no reproducer"),
        ("{-# external_resources: { mlir_reproducer: { pipeline: } } #-}", "a value was expected"),
        ("{-# external_resources: { mlir_reproducer #-}", "':' was expected"),
        ("{-# external_resources: { a: 1 b: 2 } #-}", "',' or the end was expected"),
        ("{-# " + "a: {" * 50 + " #-}", "no more braces was expected"),
        ("{-# ? #-}", "a key or value was expected"),
    ],
)
def test_files_that_are_no_reproducers(metadata, message):
    with pytest.raises(DiagnosticError, match=message):
        read_reproducer(f"builtin.module {{}}\n{metadata}\n", "f.mlir")


def test_escapes_in_the_pipeline_are_read():
    text = r'{-# external_resources: { mlir_reproducer: { pipeline: "a{x=\"b \\ c\"}", verify_each: false } } #-}'
    reproducer = read_reproducer(text, "f")
    assert reproducer.pipeline == 'a{x="b \\ c"}' and not reproducer.verify_each


def test_a_reproducer_that_cannot_be_written_does_not_hide_the_failure(tmp_path):
    ctx, told = make_context(), io.StringIO()
    module = parse_module(TEXT.replace('key = "w"', "seed = 3"), ctx)
    reproducer = CrashReproducer(tmp_path / "absent" / "crash.mlir", told)
    with pytest.raises(KeyError):
        run_pipeline(ctx, module, [Raises()], instruments=[reproducer])
    assert "cannot write" in told.getvalue()
    assert "no reproducer was written" in told.getvalue()
