"""Mistakes in passes of plugins are found, with the pass, by --verify-numerics, smalti-bisect and smalti-reduce."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from smalti.compiler.onnx_import.importer import import_onnx
from smalti.compiler.plugins import plugin
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import write_module
from smalti.passes.registry import PASSES
from smalti.tools import bisect, opt, reduce

from tests.unit.compiler.debugging.faulty_passes import residual_network
from tests.unit.tools import faulty_tile_plugin

PLUGIN = ["--load-plugin", faulty_tile_plugin.__file__]
TO_TILE = (
    "convert-top-to-tpu{target=edge-1c quantize=f32},convert-tpu-to-tile,tile-cut-to-local-memory"
)
MISTAKES = {
    "mine-share-buffers{bug=true}": ("the pass changes what is computed", "differs by"),
    "mine-hoist-loads{bug=true}": ("no longer does", "which nobody wrote"),
}
"""What is said of the pass when it runs, and of the fault by all three programs."""


@pytest.fixture(autouse=True)
def plugins_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forgets the plugin and its passes when a test ends."""
    monkeypatch.setattr(plugin, "_LOADED", {})
    yield
    for name in faulty_tile_plugin.PLUGIN.passes:
        PASSES.pop(name, None)


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A file of tile IR without addresses: two convolutions, each added to what it reads."""
    top, path = tmp_path / "net.top.mlir", tmp_path / "net.tile.mlir"
    ctx = make_context()
    write_module(import_onnx(residual_network(2), ctx), top, ctx)
    assert opt.main([str(top), "-p", TO_TILE, "-o", str(path)]) == 0
    return str(path)


@pytest.mark.parametrize("text", MISTAKES)
def test_verification_names_the_pass(text: str, program: str, capsys: pytest.CaptureFixture[str]):
    words = [program, *PLUGIN, "-p", f"canonicalize,{text},canonicalize", "--verify-numerics"]
    assert opt.main([*words, "random:0"]) == 1
    error = capsys.readouterr().err
    assert f"pass '{text.split('{')[0]}': error: " in error
    assert all(piece in error for piece in MISTAKES[text])


@pytest.mark.parametrize("text", MISTAKES)
def test_bisect_names_the_pass(text: str, program: str, capsys: pytest.CaptureFixture[str]):
    words = [program, *PLUGIN, "-p", f"canonicalize,{text},canonicalize", "--numerics"]
    assert bisect.main([*words, "random:0"]) == 0
    output = capsys.readouterr().out
    assert f"pass 2 of 3: {text}\n" in output and MISTAKES[text][1] in output


@pytest.mark.share(3)
@pytest.mark.parametrize("text", MISTAKES)
def test_reduced_programs_show_the_fault_on_their_inputs(
    text: str, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    small = tmp_path / "small.mlir"
    words = ["-p", f"canonicalize,{text}", "--numerics", "random:0", "-o", str(small)]
    assert reduce.main([program, *PLUGIN, *words]) == 0
    output = capsys.readouterr().out
    assert f"passes: {text}\n" in output and MISTAKES[text][1] in output
    before, after = map(int, re.findall(r"\d+", output.split(", after")[0]))
    assert 0 < after <= before / 2
    words = ["-p", text, "--numerics", str(small.with_suffix(".npz"))]
    assert bisect.main([str(small), *PLUGIN, *words]) == 0
    assert MISTAKES[text][1] in capsys.readouterr().out


@pytest.mark.parametrize("text", MISTAKES)
def test_without_the_mistake_the_passes_verify(
    text: str, program: str, capsys: pytest.CaptureFixture[str]
):
    right = text.split("{")[0]
    words = [program, *PLUGIN, "-p", right, "--verify-numerics", "random:0"]
    assert opt.main([*words, "--mlir-pass-statistics"]) == 0
    assert "(S) " in capsys.readouterr().err
