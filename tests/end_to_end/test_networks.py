"""Real networks, the whole path: accuracy of the encoded INT8 program on the simulator, and bit-equality of levels."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import compile_model, import_model
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.debugging.numerics_verification import NumericsVerifier
from smalti.compiler.demo.digits import MODEL, accuracy, load_images

TARGETS = ("edge-1c", "default-8c", "systolic-256")
CIFAR_MEAN = np.array([125.3, 123.0, 113.9], np.float32).reshape(1, 3, 1, 1)
CIFAR_STD = np.array([63.0, 62.1, 66.7], np.float32).reshape(1, 3, 1, 1)


def test_digits_top_interpreter_is_onnxruntime():
    _, images, _ = load_images()
    got = import_model(MODEL).run({"image": images})["logits"]
    expected = run_onnx(MODEL, {"image": images})["logits"]
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.ptp(expected))


@pytest.fixture(scope="module")
def digits_int8():
    """The digits network for every target, INT8."""
    calibration, _, _ = load_images()
    return {t: compile_model(MODEL, target=t, calibration={"image": calibration}) for t in TARGETS}


def test_digits_int8_accuracy(digits_int8):
    _, images, labels = load_images()
    expected = accuracy(run_onnx(MODEL, {"image": images})["logits"], labels)
    got = accuracy(digits_int8["default-8c"].run({"image": images})["logits"], labels)
    assert expected > 0.99
    assert got >= expected - 0.010


@pytest.mark.share(3)
def test_digits_is_the_same_on_every_target_and_level(digits_int8):
    """Targets, numbers of cores, interpreters and the simulator agree to the bit."""
    calibration, images, _ = load_images()
    inputs = {"image": images[:24]}
    reference = digits_int8["default-8c"].run(inputs)["logits"]
    for target in TARGETS:
        result = simulate(digits_int8[target].program, inputs, sanitize=True)
        assert result.outputs is not None
        np.testing.assert_array_equal(result.outputs["logits"], reference, err_msg=target)
    for cores in (1, 3, 8):
        options = CompileOptions("default-8c", cores, "int8", {"image": calibration})
        compilation = start_from_model(MODEL, options)
        for level in ("tpu", "tile"):
            compilation.lower_to(level)
            got = run_ir(compilation.module, compilation.ctx, inputs)["logits"]
            np.testing.assert_array_equal(got, reference, err_msg=f"{cores} cores, {level}")


@pytest.mark.share(3)
@pytest.mark.parametrize("quantize", ["int8", "f32", "f16", "bf16"])
def test_digits_keeps_its_numbers_through_every_pass(quantize: str):
    """As --verify-numerics runs it: the interpreter of each level, the simulator for isa."""
    calibration, images, _ = load_images()
    data = {"image": calibration} if quantize == "int8" else None
    compilation = start_from_model(MODEL, CompileOptions(None, None, quantize, data))
    compilation.instruments = [NumericsVerifier({"image": images[:4]})]
    compilation.lower_to("isa")


@pytest.mark.share(4)
def test_cifar10_keeps_its_numbers_through_every_pass(cifar10_model: Path):
    compilation = start_from_model(cifar10_model, CompileOptions(None, None, "int8", "random:1"))
    compilation.instruments = [NumericsVerifier("random:3")]
    compilation.lower_to("isa")


def test_digits_float_program():
    _, images, _ = load_images()
    compiled = compile_model(MODEL, quantize="f32", target="edge-1c")
    got = compiled.run({"image": images[:32]})["logits"]
    expected = run_onnx(MODEL, {"image": images[:32]})["logits"]
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize("quantize", ["int8", "f32"])
def test_mnist(shared_file, quantize: str):
    model = shared_file("models/mnist.onnx")
    images = np.random.default_rng(0).uniform(0, 255, (8, 1, 28, 28)).astype(np.float32)
    compiled = compile_model(model, quantize=quantize, calibration={"Input3": images})
    expected = run_onnx(model, {"Input3": images})
    for name, value in compiled.run({"Input3": images}).items():
        tolerance = 1e-4 if quantize == "f32" else 0.05
        np.testing.assert_allclose(value, expected[name], atol=tolerance * np.ptp(expected[name]))


def cifar10(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibration and test images as the network takes them, and the test labels."""
    with np.load(path, allow_pickle=False) as data:
        names = sorted(data.files)
        calibration = next(data[n] for n in names if "calibration" in n and "images" in n)
        test = next(data[n] for n in names if "test" in n and "images" in n)
        labels = next(data[n] for n in names if "test" in n and "labels" in n)
    return (calibration - CIFAR_MEAN) / CIFAR_STD, (test - CIFAR_MEAN) / CIFAR_STD, labels


@pytest.mark.slow
def test_cifar10_int8_accuracy(shared_file, cifar10_model: Path):
    """Within 1.0 point of float on 2,000 images; the same prediction on at least 97.5% of them."""
    calibration, images, labels = cifar10(shared_file("models/cifar10.npz"))
    compiled = compile_model(cifar10_model, calibration={"input": calibration})
    expected = run_onnx(cifar10_model, {"input": images})["logits"]
    got = compiled.run({"input": images})["logits"]
    agreement = float(np.mean(got.argmax(1) == expected.argmax(1)))
    print(
        f"float {accuracy(expected, labels):.4f} int8 {accuracy(got, labels):.4f} agreement {agreement:.4f}"
    )
    assert accuracy(expected, labels) == pytest.approx(0.817, abs=0.001)
    assert accuracy(got, labels) >= accuracy(expected, labels) - 0.010
    assert agreement >= 0.975


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_cifar10_is_the_same_on_every_target(cifar10_model: Path, target: str):
    """Random calibration data (the images are not part of the project): the programs and the tpu interpreter agree."""
    options = CompileOptions(target, None, "int8", "random:0")
    compilation = start_from_model(cifar10_model, options)
    images = np.random.default_rng(1).normal(size=(2, 3, 32, 32)).astype(np.float32)
    compilation.lower_to("tpu")
    expected = run_ir(compilation.module, compilation.ctx, {"input": images})["logits"]
    program = compilation.assemble()
    outputs = simulate(program, {"input": images}, sanitize=True).outputs
    assert outputs is not None
    np.testing.assert_array_equal(outputs["logits"], expected)
