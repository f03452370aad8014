"""Networks that ONNX Runtime has quantized: they keep its scales, and are no further from its runs than those with
graph optimizations are from those without, or 99.9% of the outputs are within two steps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from smalti.compiler import compile_model, import_model

from tests.shared_files import ROOT

DIGITS = ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"
CIFAR = ROOT / "tests" / "data" / "cifar10_mobilenetv2.onnx"
OWN_CYCLES = {DIGITS: 7594, CIFAR: 19144}
"""The cycles of our own INT8, which rounds a product and the addition behind it at once."""
SAMPLES = 24
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL")
"""ONNX Runtime's graph optimizations: op by op as the model says, and all of them."""


def images(model: Path, count: int) -> tuple[str, list[np.ndarray]]:
    """Return the input's name and random images."""
    declared = onnx.load(model).graph.input[0]
    shape = [each.dim_value or 1 for each in declared.type.tensor_type.shape.dim]
    generator = np.random.default_rng(3)
    return declared.name, [generator.random(shape).astype("f4") for _ in range(count)]


def quantized(model: Path, folder: Path, form: str, storage: str) -> Path:
    """Quantize a model statically, with scales for each channel.

    Weights have 7 bits: on processors without VNNI, ONNX Runtime saturates sums of pairs of products of 8 bits.
    """
    from onnxruntime import quantization

    name, data = images(model, 8)

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter(data)

        def get_next(self) -> Any:
            image = next(self.rest, None)
            return None if image is None else {name: image}

    made = folder / f"{form}.onnx"
    prepared = folder / "prepared.onnx"
    quantization.quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared),
        str(made),
        Reader(),
        quant_format=quantization.QuantFormat[form],
        per_channel=True,
        reduce_range=True,
        activation_type=quantization.QuantType[storage],
        weight_type=quantization.QuantType.QInt8,
    )
    return made


def results(path: Path, name: str, data: list[np.ndarray], level: str) -> np.ndarray:
    """Return ONNX Runtime's outputs after its optimizations of a level."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(str(path), options)
    return np.stack([np.asarray(session.run(None, {name: image})[0]) for image in data])


def output_step(path: Path) -> float:
    """Return the scale of the last quantization."""
    model = onnx.load(path)
    scales = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    last = next(node for node in reversed(model.graph.node) if node.op_type == "DequantizeLinear")
    return float(scales[last.input[1]].item())


@pytest.mark.share(3)
@pytest.mark.parametrize(
    ("model", "form", "storage"),
    [
        (DIGITS, "QDQ", "QUInt8"),
        (DIGITS, "QDQ", "QInt8"),
        (DIGITS, "QOperator", "QUInt8"),
        pytest.param(CIFAR, "QDQ", "QUInt8", marks=pytest.mark.slow),
        pytest.param(CIFAR, "QOperator", "QUInt8", marks=pytest.mark.slow),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_static_quantization(model: Path, form: str, storage: str, tmp_path: Path):
    path = quantized(model, tmp_path, form, storage)
    name, data = images(model, SAMPLES)
    runs = [results(path, name, data, level) for level in LEVELS]
    if form == "QOperator":  # what its optimizations make of the other form
        other = quantized(model, tmp_path, "QDQ", storage)
        runs += [results(other, name, data, level) for level in LEVELS]
    step = output_step(path)
    own = max(np.abs(run - runs[0]).mean() for run in runs)
    compiled, at_top = compile_model(path, quantize="f32"), import_model(path)
    for found in (at_top, compiled):
        outputs = np.stack([next(iter(found.run({name: image}).values())) for image in data])
        # A tie that is rounded the other way early changes the last digits of what follows.
        distances = [np.abs(outputs - run) for run in runs]
        is_as_near = min(each.mean() for each in distances) <= own
        assert is_as_near or (distances[0] < 2.01 * step).mean() >= 0.999
        np.testing.assert_array_equal(outputs.argmax(-1), runs[0].argmax(-1))
    assert compiled.profile().cycles <= 1.05 * OWN_CYCLES[model]


def test_weights_keep_their_bytes(tmp_path: Path):
    path = quantized(DIGITS, tmp_path, "QDQ", "QUInt8")
    given = {
        each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer
    }
    text = compile_model(path, quantize="f32").ir("tpu")
    kept = [name for name, array in given.items() if array.dtype == np.int8 and array.ndim == 4]
    assert kept
    for name in kept:
        assert f'key = "{name}"' in text, name
    assert "tpu.conv2d" in text
    assert 'accumulator = "f32"' not in text
