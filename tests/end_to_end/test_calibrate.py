"""`smalti calibrate` and `calibrate_model`: tables that a compilation takes, and what is told of mistakes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import calibrate_model, compile_model
from smalti.compiler.calibration.clipping.method import BEST_OF, COMPARED, METHODS
from smalti.passes.top.calibration_grammar import read_table

from .bad_input.diagnostics import Smalti, assert_diagnostic


def samples(count: int) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(0).normal(0, 1, (count, 3, 12, 12)).astype(np.float32)}


def test_the_table_of_min_max_is_that_of_a_compilation(
    smalti: Smalti, small_onnx: Path, tmp_path: Path
):
    np.savez(tmp_path / "data.npz", **samples(6))
    data, table = tmp_path / "data.npz", tmp_path / "mine.calibration"
    ran = smalti("calibrate", small_onnx, "--data", data, "-o", table)
    assert ran.code == 0 and "by min-max" in ran.out
    ran = smalti("compile", small_onnx, "--calibration", data, "-o", tmp_path / "m.smalti")
    assert ran.code == 0
    assert read_table(table) == read_table(tmp_path / "m.calibration")
    assert f"# data: {data}, 6 samples\n# method: min-max\n" in table.read_text()


def test_top_ir_is_calibrated_as_its_model_is(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ir, ours, theirs = tmp_path / "m.top.mlir", tmp_path / "a.calibration", tmp_path / "b.calibration"  # fmt: skip
    assert smalti("import", small_onnx, "-o", ir).code == 0
    for source, table in ((ir, ours), (small_onnx, theirs)):
        ran = smalti("calibrate", source, "--data", "random:3", "--method", "mse", "-o", table)
        assert ran.code == 0
    assert read_table(ours) == read_table(theirs)


@pytest.mark.parametrize("method", [name.replace("P", "99") for name in METHODS])
def test_every_method_makes_a_table_that_compiles(small_onnx: Path, tmp_path: Path, method: str):
    data = samples(8)
    table = calibrate_model(small_onnx, data, method=method)
    found = {row.method for row in table.rows.values()}
    assert found <= set(COMPARED) if method == BEST_OF else found == {method}
    path = tmp_path / "m.calibration"
    path.write_text(str(table))
    compiled = compile_model(small_onnx, calibration=path)
    exact = compile_model(small_onnx, quantize="f32").run(data)
    for name, found in compiled.run(data).items():
        noise = np.square(found - exact[name]).sum() / np.square(exact[name]).sum()
        assert noise < 0.01, method


def test_mistakes(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    table = out / "m.calibration"
    ran = smalti("calibrate", small_onnx, "--data", "random:1", "--method", "mss", "-o", table)
    assert_diagnostic(ran, "no calibration method 'mss'", "did you mean mse?", folder=out)
    ran = smalti("calibrate", small_onnx, "--data", tmp_path / "none.npz", "-o", table)
    assert_diagnostic(ran, "none.npz", folder=out)
    words = ("--calibration", "random:1", "--emit", "tpu", "-o", tmp_path / "m.smalti")
    assert smalti("compile", small_onnx, *words).code == 0
    ran = smalti("calibrate", tmp_path / "m.tpu.mlir", "--data", "random:1", "-o", table)
    assert_diagnostic(ran, "level top", folder=out)
    with pytest.raises(DiagnosticError, match="method cannot be 3"):
        calibrate_model(small_onnx, samples(4), method=3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DiagnosticError, match="no data for input"):
        calibrate_model(small_onnx, {"y": np.zeros(3)})


def pictures(folder: Path, count: int, size: int = 12) -> np.ndarray:
    """Write images, and return their pixels [count, 3, size, size]."""
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    for index, each in enumerate(pixels):
        Image.fromarray(each).save(folder / f"{index:03}.png")
    return pixels.transpose(0, 3, 1, 2).astype(np.float32)


@pytest.mark.parametrize("as_list", [None, "list.txt", "val.lst"])
def test_images_are_calibrated_as_their_arrays_are(
    smalti: Smalti, small_onnx: Path, tmp_path: Path, as_list: str | None
):
    pixels = pictures(tmp_path / "pictures", 7)
    data = tmp_path / "pictures"
    if as_list:
        data = tmp_path / as_list
        data.write_text("".join(f"pictures/{index:03}.png\n" for index in range(7)))
    words = ("--mean", "127.5", "--scale", "0.01,0.02,0.03", "--method", "mse")
    table = tmp_path / "m.calibration"
    ran = smalti("calibrate", small_onnx, "--data", data, *words, "-o", table)
    assert ran.code == 0, ran.err
    scale = np.array([0.01, 0.02, 0.03], np.float32)[:, None, None]
    expected = calibrate_model(small_onnx, {"x": (pixels - 127.5) * scale}, method="mse")
    assert read_table(table).rows == expected.rows
    assert "7 samples\n# preprocessing: mean 127.5, scale 0.01, 0.02, 0.03, rgb\n" in table.read_text()  # fmt: skip


def test_images_that_cannot_be_read(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    folder, table = tmp_path / "pictures", tmp_path / "m.calibration"
    pictures(folder, 5)
    (folder / "002.png").write_bytes(b"no image")
    words = ("calibrate", small_onnx, "--data", folder, "--scale", "0.01", "-o", table)
    ran = smalti(*words)
    assert ran.code == 1 and "002.png: error: not a readable image" in ran.err
    assert not table.exists()
    ran = smalti(*words, "--skip-bad")
    assert ran.code == 0 and "002.png: warning: left out" in ran.err
    assert "4 samples" in table.read_text()
    (folder / ".png").write_bytes(b"no image")
    for index in range(5):
        (folder / f"0{index}.png").write_bytes(b"no image")
    assert smalti(*words, "--skip-bad").code == 0  # more bad ones first than are looked at
    list_file = tmp_path / "list.txt"
    list_file.write_text("x" * 300 + "\npictures/001.png\n")
    ran = smalti("calibrate", small_onnx, "--data", list_file, *words[4:], "--skip-bad")
    assert ran.code == 0 and "there is only 1 sample" in ran.err
    for path in folder.iterdir():
        path.write_bytes(b"no image")
    ran = smalti(*words, "--skip-bad")
    assert ran.code == 1 and "there are 0 images that can be read" in ran.err


def test_pixels_that_nobody_normalized_are_doubted(smalti: Smalti, small_onnx: Path, tmp_path: Path):  # fmt: skip
    pictures(tmp_path / "pictures", 5)
    ran = smalti("calibrate", small_onnx, "--data", tmp_path / "pictures", "-o", tmp_path / "t")
    assert ran.code == 0 and "as pixels are before they are normalized" in ran.err


def test_an_npy_is_the_only_input(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    np.save(tmp_path / "x.npy", samples(6)["x"])
    table = tmp_path / "m.calibration"
    ran = smalti("calibrate", small_onnx, "--data", tmp_path / "x.npy", "-o", table)
    assert ran.code == 0
    assert read_table(table).rows == calibrate_model(small_onnx, samples(6)).rows
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY no")
    ran = smalti("calibrate", small_onnx, "--data", tmp_path / "x.npy", "-o", table)
    assert ran.code == 1 and "x.npy: error: not a readable .npy file" in ran.err


def test_a_scale_that_no_float_holds(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    pictures(tmp_path / "pictures", 2)
    words = ("--data", tmp_path / "pictures", "--scale", "1e39", "-o", tmp_path / "t")
    ran = smalti("calibrate", small_onnx, *words)
    assert ran.code == 1 and ran.err.startswith("error: --mean and --scale make infinite numbers")


def test_tables_without_rows_and_with_a_wrong_name(smalti: Smalti, small_onnx: Path, tmp_path: Path):  # fmt: skip
    table = tmp_path / "m.calibration"
    table.write_text("# nothing\n")
    words = ("compile", small_onnx, "--calibration", table, "-o", tmp_path / "m.smalti")
    ran = smalti(*words)
    assert ran.code == 1 and "m.calibration: error: the calibration table has no row" in ran.err
    made = str(calibrate_model(small_onnx, samples(6)))
    table.write_text(made + "xx 1 0 1\n")
    ran = smalti(*words)
    assert ran.code == 0 and "ranges for 1 name that no value has" in ran.err
