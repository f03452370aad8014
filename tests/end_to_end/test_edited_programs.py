"""What a person wrote into a program's text is checked: a race is told, not run."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .bad_input.diagnostics import assert_diagnostic
from .conftest import Ran

Smalti = Callable[..., Ran]


@pytest.fixture
def race(small_files: Path, tmp_path: Path) -> Path:
    """The listing of the small network with a matrix instruction that waits for nothing."""
    lines = (small_files / "small.isa.mlir").read_text().splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if re.search(r": conv2d .* after", line))
    lines[index] = re.sub(r" after [\w, ]+? for ", " for ", lines[index])
    path = tmp_path / "race.isa.mlir"
    path.write_text("".join(lines))
    shutil.copy(small_files / "small.isa.safetensors", tmp_path)
    return path


def test_a_race_in_a_listing_is_told(
    smalti: Smalti, race: Path, small_data: Path, small_files: Path, tmp_path: Path
):
    program = tmp_path / "race.smalti"
    for command in (
        ("run", race, "--mode", "timing"),
        ("run", race, "--inputs", small_data),
        ("assemble", race, "-o", program),
        ("compile", race, "-o", program),
    ):
        assert_diagnostic(smalti(*command), "nothing orders the two", "conv2d")
    assert not program.exists()


def test_a_race_runs_when_told_so(smalti: Smalti, race: Path, tmp_path: Path):
    program = tmp_path / "race.smalti"
    assert smalti("run", race, "--mode", "timing", "--no-sanitize").code == 0
    assert smalti("compile", race, "--no-sanitize", "-o", program).code == 0
    assert smalti("assemble", race, "--no-sanitize", "-o", program).code == 0
    assert smalti("run", program, "--mode", "timing").code == 0
    assert_diagnostic(smalti("run", program, "--mode", "timing", "--sanitize"), "conv2d")


def test_edited_addresses_are_obeyed_or_refused(smalti: Smalti, small_files: Path, tmp_path: Path):
    """A buffer moved to free bytes stays there; one moved onto another is refused, and both are named."""
    lines = (small_files / "small.tile.mlir").read_text().splitlines(keepends=True)
    shutil.copy(small_files / "small.tile.safetensors", tmp_path)
    path, output = tmp_path / "small.tile.mlir", tmp_path / "out" / "m.smalti"
    output.parent.mkdir()
    index = next(i for i, line in enumerate(lines) if "= tile.alloc core 0" in line)

    def compile_with(address: int):
        lines[index] = re.sub(r"address = \d+", f"address = {address}", lines[index])
        path.write_text("".join(lines))
        return smalti("compile", path, "--emit", "tile,program", "-o", output)

    assert compile_with(1 << 20).code == 0
    written = output.with_name("m.tile.mlir").read_text()
    assert written.splitlines()[1:] == path.read_text().splitlines()[1:]
    other = next(line for line in lines[index + 1 :] if "= tile.alloc core 0" in line)
    address = re.search(r"address = (\d+)", other)
    assert address is not None
    names = [line.split("=")[0].strip() for line in (lines[index], other)]
    assert_diagnostic(compile_with(int(address[1])), "share bytes", *names)


def test_local_memory_that_a_program_does_not_ask_for_is_refused_by_both(
    smalti: Smalti, small_files: Path, tmp_path: Path
):
    """`assemble` and `run` use one check for what a core's instructions may touch."""
    text = (small_files / "small.isa.mlir").read_text()
    shutil.copy(small_files / "small.isa.safetensors", tmp_path)
    path = tmp_path / "small.isa.mlir"
    path.write_text(re.sub(r" local\(\d+\)", " local(64)", text, count=1))
    said = [
        smalti("assemble", path, "--no-sanitize", "-o", tmp_path / "m.smalti"),
        smalti("run", path, "--mode", "timing"),
    ]
    assert_diagnostic(said[0], "core 0", "local memory of core 0, which has 64")
    assert said[0].err == said[1].err
