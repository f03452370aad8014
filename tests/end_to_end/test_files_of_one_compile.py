"""Files of two compiles that lie side by side are told: a compile that is killed between two renames leaves them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran

Smalti = Callable[..., Ran]
ALL = "top,tpu,tile,isa,program"
TOLD = "the IR is not that of 'm.smalti' beside it"


@pytest.fixture
def compiled(smalti: Smalti, small_onnx: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """Compiles the small model in a type to a folder of its own."""

    def compile_in(storage: str, name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        words = ("compile", small_onnx, "--quantize", storage, "--emit", ALL)
        assert smalti(*words, "-o", folder / "m.smalti").code == 0
        return folder

    return compile_in


def _commands(folder: Path) -> list[tuple[object, ...]]:
    program = folder / "m.smalti"
    return [
        ("run", program, "--mode", "timing"),
        ("run", folder / "m.isa.mlir", "--mode", "timing"),
        ("diff", program, program),
        ("disassemble", program),
    ]


def test_a_compile_says_nothing_of_its_own_files(smalti: Smalti, compiled):
    """Not of those that are written again from the IR, either, and two compiles write the same."""
    folder, again = compiled("f32", "one"), compiled("f32", "two")
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()
    assert smalti("compile", folder / "m.tile.mlir", "-o", folder / "m.smalti").code == 0
    for words in _commands(folder):
        ran = smalti(*words)
        assert (ran.code, ran.err) == (0, "")


def test_mixed_files_are_told(smalti: Smalti, compiled):
    old, new = compiled("f32", "old"), compiled("f16", "new")
    shutil.copy(new / "m.smalti", old)
    for words in _commands(old):
        ran = smalti(*words)
        assert ran.code == 0
        assert f"m.isa.mlir: warning: {TOLD}" in ran.err and "hint: " in ran.err


def test_one_level_of_another_compile_is_told(smalti: Smalti, compiled):
    old, new = compiled("f32", "old"), compiled("f16", "new")
    for kind in ("mlir", "safetensors"):
        shutil.copy(new / f"m.tile.{kind}", old)
    told = smalti("diff", old / "m.smalti", old / "m.smalti").err
    assert f"m.tile.mlir: warning: {TOLD}" in told and "m.isa.mlir" not in told


def test_ir_without_a_note_is_taken_as_it_is(smalti: Smalti, compiled):
    """As IR is that an older Smalti or another tool wrote, or that lies beside a file that is no program."""
    folder, other = compiled("f32", "one"), compiled("f16", "two")
    for path in folder.glob("*.mlir"):
        path.write_text(path.read_text().partition("{-#")[0])
    shutil.copy(other / "m.smalti", folder)
    (other / "m.smalti").write_text("no program")
    for words in (("diff", folder / "m.smalti", folder / "m.smalti"), _commands(other)[1]):
        ran = smalti(*words)
        assert (ran.code, ran.err) == (0, "")
