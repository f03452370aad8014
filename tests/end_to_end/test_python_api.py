"""The Python API: compile_model, load_program, import_model and what their objects do."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import (
    CompiledModel,
    ImportedModel,
    compare_model,
    compile_model,
    import_model,
    load_program,
)
from smalti.tools import opt

from .conftest import small_model


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(4).normal(size=(8, 3, 12, 12)).astype(np.float32)}


@pytest.fixture(scope="module")
def compiled(data) -> CompiledModel:
    return compile_model(small_model(), calibration=data)


def test_a_path_and_a_model_give_the_same_program(small_onnx: Path, compiled: CompiledModel, data):
    for path in (small_onnx, str(small_onnx)):
        np.testing.assert_array_equal(
            compile_model(path, calibration=data).run(data)["y"], compiled.run(data)["y"]
        )


def test_run_takes_one_sample_or_several(compiled: CompiledModel, data):
    together = compiled.run(data)["y"]
    assert together.shape == (8, 5) and together.dtype == np.float32
    for index in range(8):
        alone = compiled.run({"x": data["x"][index : index + 1]})["y"]
        np.testing.assert_array_equal(alone, together[index : index + 1])
    expected = run_onnx(small_model(), data)["y"]
    np.testing.assert_allclose(together, expected, atol=0.05 * np.ptp(expected))


def test_profile(compiled: CompiledModel):
    timing = compiled.profile()
    assert timing.cycles > 0 and timing.milliseconds == pytest.approx(timing.cycles / 1e6)
    assert 0 < timing.utilization < 1 and timing.bytes_read > 0 and timing.bytes_written > 0
    assert "classifier" in {name for name, _ in timing.by_node()}
    assert timing.cycles == compiled.profile().cycles
    assert compiled.profile(repeat=3).steady_cycles <= timing.cycles


@pytest.mark.parametrize("level", ["top", "tpu", "tile", "isa"])
def test_ir(compiled: CompiledModel, level: str):
    text = compiled.ir(level)
    assert f"{level}." in text and 'loc("classifier")' in text


def test_save_and_load(compiled: CompiledModel, data, tmp_path: Path):
    path = tmp_path / "m.smalti"
    compiled.save(path)
    loaded = load_program(path)
    assert isinstance(loaded, CompiledModel)
    np.testing.assert_array_equal(loaded.run(data)["y"], compiled.run(data)["y"])
    assert loaded.profile().cycles == compiled.profile().cycles
    assert "isa.stream" in loaded.ir("isa")
    with pytest.raises(DiagnosticError, match="holds no tile IR"):
        loaded.ir("tile")
    loaded.save(tmp_path / "again.smalti")
    assert (tmp_path / "again.smalti").read_bytes() == path.read_bytes()


def test_the_pipeline_reads_the_calibration_table_that_is_saved(
    small_onnx: Path, compiled: CompiledModel, data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import_model(small_onnx).save(tmp_path / "m.mlir")
    compiled.save_calibration(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert opt.main(["m.mlir", "-p", compiled.pipeline, "-o", "m.isa.mlir"]) == 0
    assert (tmp_path / "m.isa.mlir").stat().st_size
    floats = compile_model(small_onnx, quantize="f32")
    with pytest.raises(DiagnosticError, match="no ranges were measured"):
        floats.save_calibration(tmp_path)


def test_import_model(small_onnx: Path, data):
    imported = import_model(small_onnx)
    assert isinstance(imported, ImportedModel)
    expected = run_onnx(small_onnx, data)["y"]
    np.testing.assert_allclose(imported.run(data)["y"], expected, atol=1e-5 * np.ptp(expected))
    assert 'top.conv2d "c1"' in imported.ir()
    assert imported.counts() == (7, 5, 845)
    assert "tensor<2x3x12x12xf32>" in import_model(small_onnx, batch=2).ir()


def test_options(small_onnx: Path, data):
    floats = compile_model(small_onnx, target="edge-1c", quantize="f32", batch=2)
    expected = run_onnx(small_onnx, data)["y"]
    np.testing.assert_allclose(floats.run(data)["y"], expected, atol=1e-4 * np.ptp(expected))
    assert len(compile_model(small_onnx, cores=2, calibration="random:0").program.streams) <= 2


def test_a_model_is_not_changed():
    model = small_model()
    before = model.SerializeToString()
    compile_model(model, calibration="random:0", batch=3)
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "calibration"),
        ({"calibration": "random:x"}, "seed"),
        ({"calibration": {"z": np.zeros((1, 3, 12, 12))}}, "'x'"),
        ({"calibration": {"x": np.zeros((1, 3, 12, 13))}}, "12"),
        ({"calibration": "random:0", "target": "nope"}, "nope"),
        ({"calibration": "random:0", "cores": 9}, "cores"),
        ({"calibration": "random:0", "cores": 0}, "cores"),
        ({"calibration": "random:0", "quantize": "int4"}, "int4"),
        ({"calibration": "random:0", "batch": 0}, "batch"),
        ({"quantize": "f32", "input_shapes": {"z": (1,)}}, "'z'"),
    ],
)
def test_mistakes_are_diagnostics(options, message: str):
    with pytest.raises(DiagnosticError, match=message):
        compile_model(small_model(), **options)


def test_mistakes_at_run_time(compiled: CompiledModel):
    with pytest.raises(DiagnosticError, match="'x' is missing"):
        compiled.run({})
    with pytest.raises(DiagnosticError, match="no input 'z'"):
        compiled.run({"x": np.zeros((1, 3, 12, 12), np.float32), "z": np.zeros(1)})
    with pytest.raises(DiagnosticError, match="shape"):
        compiled.run({"x": np.zeros((1, 3, 12, 11), np.float32)})
    with pytest.raises(DiagnosticError, match="no level 'llvm'"):
        compiled.ir("llvm")
    with pytest.raises(DiagnosticError, match=r"absent\.smalti"):
        load_program("absent.smalti")
    with pytest.raises(DiagnosticError):
        import_model(onnx.ModelProto())


@pytest.mark.parametrize(("quantize", "least"), [("f32", 100), ("f16", 50), ("bf16", 35)])
def test_compare_model(data, quantize: str, least: float):
    report = compare_model(small_model(), quantize=quantize, inputs=data, samples=3)  # pyright: ignore[reportArgumentType]
    assert [each.name for each in report.differences] == ["r1", "a", "g", "f", "y"]
    assert least < report.worst.snr_db < 160
    assert report.missing == ["c1", "c2"]
    assert [each.whole for each in report.outputs] == report.differences[-1:]
    assert report.text().splitlines()[2].split()[0] == "y"
