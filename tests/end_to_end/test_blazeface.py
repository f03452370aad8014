"""BlazeFace: two outputs put together by concatenations, paddings of pixels and channels."""

import numpy as np
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir


@pytest.mark.share(3)
@pytest.mark.parametrize("quantize", ["int8", pytest.param("f32", marks=pytest.mark.slow)])
def test_blazeface(shared_file, quantize: str):
    model = shared_file("models/blazeface.onnx")
    inputs = {"x.1": np.random.default_rng(0).uniform(-1, 1, (1, 3, 128, 128)).astype(np.float32)}
    expected = run_onnx(model, inputs)
    calibration = inputs if quantize == "int8" else None
    compilation = start_from_model(model, CompileOptions("default-8c", None, quantize, calibration))
    compilation.lower_to("tpu")
    tpu = run_ir(compilation.module, compilation.ctx, inputs)
    program = simulate(compilation.assemble(), inputs, sanitize=True).outputs
    assert program is not None
    assert list(program) == ["199", "180"]
    for name, value in expected.items():
        if quantize == "int8":
            np.testing.assert_array_equal(program[name], tpu[name])
            error = program[name] - value
            noise = 10 * np.log10(np.square(value).sum() / np.square(error).sum())
            assert noise > 25, f"{name}: {noise:.1f} dB"
        else:
            np.testing.assert_allclose(program[name], value, atol=1e-4 * np.ptp(value))
