"""What a person wrote into a program's text is checked: a race is told, not run."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from smalti.tools import opt

from .bad_input.diagnostics import assert_diagnostic
from .conftest import Ran

Smalti = Callable[..., Ran]


@pytest.fixture
def race(small_files: Path, tmp_path: Path) -> Path:
    """The listing of the small network with a matrix instruction that waits for nothing."""
    lines = (small_files / "small.isa.mlir").read_text().splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if re.search(r": conv2d .* after", line))
    lines[index] = re.sub(r" after [\w, ]+?(?= (wait|for) )", "", lines[index])
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
    assert _ir_below_head(written) == _ir_below_head(path.read_text())
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
    assert_diagnostic(said[0], "core 0", "of local memory, of which the program uses 0x40")
    assert said[0].err == said[1].err


def test_an_edited_order_is_kept(smalti: Smalti, small_files: Path, tmp_path: Path):
    """Loads that stand just before their first reader stay there, as long as the program says that it is ordered."""
    text = re.sub(r" address = \d+", "", (small_files / "small.tile.mlir").read_text())
    shutil.copy(small_files / "small.tile.safetensors", tmp_path)
    lines = text.splitlines(keepends=True)
    # The loads of the cores are one multicast.
    loads = [line for line in lines if "tile.copy" in line and " %w2_i8_packed ->" in line]
    lines = [line for line in lines if line not in loads]
    reader = next(
        i
        for i, line in enumerate(lines)
        if "tile.conv2d" in line and ", %w2_i8_packed_tile" in line
    )
    edited = "".join([*lines[: reader - 1], *loads, *lines[reader - 1 :]])
    path, output = tmp_path / "small.tile.mlir", tmp_path / "out" / "m.smalti"
    output.parent.mkdir()

    def steps_after_compiling(edited: str) -> tuple[list[str], str]:
        path.write_text(edited)
        ran = smalti("compile", path, "--emit", "tile,program", "-o", output)
        assert ran.code == 0, ran.err
        return _steps(output.with_name("m.tile.mlir").read_text()), ran.err

    assert steps_after_compiling(edited) == (_steps(edited), "")
    # A text that does not say so is ordered, with a warning that tells how to avoid that.
    unsaid = edited.replace("tile.program @main ordered", "tile.program @main")
    steps, said = steps_after_compiling(unsaid)
    assert steps != _steps(edited)
    assert "warning" in said and "`tile.program @main ordered`" in said


def test_the_order_of_layers_is_kept(smalti: Smalti, small_files: Path, tmp_path: Path):
    """The tiles of layers that a person marked as ordered stay in the order of the layers."""
    path, cut, output = (tmp_path / name for name in ("layers.mlir", "cut.mlir", "m.smalti"))
    passes = "convert-tpu-to-tile,tile-split-over-cores{cores=2}"
    assert opt.main([str(small_files / "small.tpu.mlir"), "-p", passes, "-o", str(path)]) == 0
    tiles = "tile-plan,tile-cut-to-local-memory"
    assert opt.main([str(path), "-p", tiles, "-o", str(cut)]) == 0
    written = output.with_name("m.tile.mlir")
    for name, is_kept in (("@main", False), ("@main ordered", True)):
        path.write_text(path.read_text().replace("@main {", f"{name} {{"))
        assert smalti("compile", path, "--emit", "tile,program", "-o", output).code == 0
        found = _steps(written.read_text())
        assert (found == _steps(cut.read_text())) == is_kept


def test_options_of_the_order_are_refused_where_it_is_settled(
    smalti: Smalti, small_files: Path, tmp_path: Path
):
    """They would do nothing; to leave the pass out, or to set options of another one, is fine."""
    placed = (small_files / "small.tile.mlir").read_text()
    ordered = re.sub(r" address = \d+", "", placed)
    shutil.copy(small_files / "small.tile.safetensors", tmp_path)
    path = tmp_path / "small.tile.mlir"
    words = ("compile", path, "-o", tmp_path / "m.smalti")
    change = ("--set-pass", "tile-order-engines{prefetch=2}")
    unordered = ordered.replace("@main ordered", "@main")
    for text, why in (
        (ordered, "it is marked as `ordered`"),
        (placed, "it is marked as `ordered`"),
        (placed.replace("@main ordered", "@main"), "its buffers have addresses"),
    ):
        path.write_text(text)
        assert_diagnostic(smalti(*words, *change), "tile-order-engines", why, "hint: delete the")
        assert smalti(*words, "--disable-pass", "tile-order-engines").code == 0
    path.write_text(unordered)
    assert smalti(*words, *change).code == 0


def _ir_below_head(text: str) -> list[str]:
    """The lines of a module without its head, which names its weights, and the note of its program at the end."""
    return text.partition("{-#")[0].splitlines()[1:]


def _steps(text: str) -> list[str]:
    """The lines of tile IR that do something, without their locations."""
    lines = [line.strip().partition(" loc(")[0] for line in text.splitlines()]
    return [line for line in lines if line.startswith("tile.") and "tile.program" not in line]


def test_edited_waits_are_kept(smalti: Smalti, small_files: Path, tmp_path: Path):
    """A wait that nothing needs is obeyed."""
    lines = (small_files / "small.isa.mlir").read_text().splitlines(keepends=True)
    shutil.copy(small_files / "small.isa.safetensors", tmp_path)
    index = next(i for i, line in enumerate(lines) if line.strip().startswith("m1: "))
    lines[index], count = re.subn(r" after (d\d+), v2 ", r" after \1, s0, v2 ", lines[index])
    assert count == 1
    path, output = tmp_path / "small.isa.mlir", tmp_path / "out" / "m.smalti"
    output.parent.mkdir()
    path.write_text("".join(lines))
    assert smalti("compile", path, "--emit", "isa,program", "-o", output).code == 0
    written = output.with_name("m.isa.mlir").read_text()
    assert _ir_below_head(written) == _ir_below_head(path.read_text())


def test_edited_cores_and_windows_are_kept(
    smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path
):
    """The parts of a layer are computed where the text says, whatever the windows; the results are the same."""
    path = tmp_path / "small.tile.mlir"
    split = "convert-tpu-to-tile,tile-split-over-cores{cores=2}"
    assert opt.main([str(small_files / "small.tpu.mlir"), "-p", split, "-o", str(path)]) == 0
    text = path.read_text()
    assert "window = [0, 1, 0, 8, 0, 6, 0, 12]" in text
    text = text.replace("[0, 1, 0, 8, 0, 6, 0, 12]", "[0, 1, 0, 8, 0, 5, 0, 12]")
    text = text.replace("[0, 1, 0, 8, 6, 12, 0, 12]", "[0, 1, 0, 8, 5, 12, 0, 12]")
    path.write_text(text.replace("tile.layer core 1 ", "tile.layer core 5 "))
    output = tmp_path / "out" / "m.smalti"
    output.parent.mkdir()
    assert smalti("compile", path, "--emit", "tile,program", "-o", output).code == 0
    written = output.with_name("m.tile.mlir").read_text()
    assert "core 5 " in written and "core 1 " not in written
    # 5 rows of 12 pixels of 16 channels
    assert 'memref<1x5x12x16xi32, "acc">' in written
    results: list[np.ndarray] = []
    for each in (output, small_files / "small.smalti"):
        outputs = tmp_path / "outputs.npz"
        assert smalti("run", each, "--inputs", small_data, "--outputs", outputs).code == 0
        with np.load(outputs) as arrays:
            results.append(arrays["y"])
    assert np.array_equal(*results)
