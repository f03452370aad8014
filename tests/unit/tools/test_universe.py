"""xDSL's own tools see Smalti: every dialect and pass, down to instructions."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from smalti.compiler.compilation.pipelines import passes_into, passes_of
from smalti.dialects.context import DIALECTS
from smalti.passes.registry import PASSES
from smalti.passes.smalti_pass import Level
from smalti.tools.universe import SMALTI_UNIVERSE, XDSL_DIALECTS, XDSL_PASSES
from xdsl.tools.xdsl_opt import main as xdsl_opt
from xdsl.universe import XDSL_UNIVERSE, Universe

from tests.shared_files import ROOT

LOWER_LEVELS: tuple[Level, ...] = ("tpu", "tile", "isa")
CONV = ROOT / "tests" / "data" / "conv.top.mlir"


def run_xdsl_opt(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What xdsl-opt prints for the arguments."""
    monkeypatch.setattr("sys.argv", ["xdsl-opt", *arguments])
    output = io.StringIO()
    with redirect_stdout(output):
        xdsl_opt()
    return output.getvalue()


def test_multiverse_has_every_dialect_and_pass():
    universe = Universe.get_multiverse()
    for name in DIALECTS:
        assert universe.all_dialects[name]().name == name
    for name in PASSES:
        assert universe.all_passes[name]().name == name


def test_names_left_to_xdsl_are_those_that_both_have():
    assert set(DIALECTS) & set(XDSL_UNIVERSE.all_dialects) == XDSL_DIALECTS
    assert set(PASSES) & set(XDSL_UNIVERSE.all_passes) == XDSL_PASSES
    assert not set(SMALTI_UNIVERSE.all_passes) & set(XDSL_UNIVERSE.all_passes)


def test_xdsl_opt_lowers_to_instructions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    lower: list[str] = []
    for level in LOWER_LEVELS:
        lower += passes_into(level, target="edge-1c", quantize="int8")
    passes = [*passes_of("top", target="edge-1c", quantize="int8"), *lower]
    pipeline = ",".join(each for each in passes if each not in XDSL_PASSES)
    text = run_xdsl_opt(monkeypatch, str(CONV), "-p", pipeline)
    assert "conv2d x=0x" in text and 'weights("program.weights")' in text
    file = tmp_path / "conv.isa.mlir"
    file.write_text(text)
    assert run_xdsl_opt(monkeypatch, str(file)) == text
