"""What ONNX Runtime's own static quantization makes of a model: the yardstick of INT8."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto
from smalti.backends.cpu.session import run_onnx

_DEQUANTIZED = "_DequantizeLinear_Output"
_RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


def quantized_tensors(
    model: ModelProto,
    calibration: Mapping[str, np.ndarray],
    inputs: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The tensors of the statically quantized model on `inputs`, by the names they have in the float model.

    The recipe is the one that ONNX Runtime's documentation gives: graph optimizations first (they fold batch norms
    into convolutions), then QDQ, weights per channel, MinMax calibration, i8 activations with a zero point, on the
    calibration data one sample at a time. What is shown of a tensor is what its users compute with: the dequantized
    value where the tool quantizes it (a float that is reshaped first counts as quantized if the result is), the float
    where it does not. The model runs without graph optimizations, so that all tensors are there and nothing but
    rounding to 8 bits is lost.
    """
    quantized = quantized_model(model, calibration)
    values = run_onnx(quantized, inputs, intermediates=True)
    found = {name: value for name, value in values.items() if not name.endswith(_DEQUANTIZED)}
    for name, value in values.items():
        if name.endswith(_DEQUANTIZED):
            found[name.removesuffix(_DEQUANTIZED)] = value
    users = Counter(name for node in quantized.graph.node for name in node.input)
    for node in [node for node in quantized.graph.node if node.op_type in _RESHAPES]:
        source, target = node.input[0], node.output[0] + _DEQUANTIZED
        if users[source] == 1 and source in values and target in values:
            found[source] = values[target].reshape(values[source].shape)
    return found


def quantized_model(model: ModelProto, calibration: Mapping[str, np.ndarray]) -> ModelProto:
    """The statically quantized model, in QDQ form, as `quantized_tensors` says."""
    logging.getLogger().setLevel(logging.ERROR)  # the tool warns on the root logger
    with tempfile.TemporaryDirectory() as folder:
        return _quantize(model, calibration, Path(folder))


def _quantize(model: ModelProto, calibration: Mapping[str, np.ndarray], folder: Path) -> ModelProto:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            count = min(len(value) for value in calibration.values())
            self.rows = iter(range(count))

        def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
            row = next(self.rows, None)
            if row is None:
                return None
            return {name: value[row : row + 1] for name, value in calibration.items()}

    prepared, target = folder / "prepared.onnx", folder / "quantized.onnx"
    _prepare(model, prepared)
    quantize_static(
        prepared,
        target,
        Samples(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )
    return onnx.load(target)


def _prepare(model: ModelProto, path: Path) -> None:
    """Optimizes as `quant_pre_process` does (basic optimizations keep ONNX's own ops), and infers shapes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    prepared = onnx.load(path)
    # Before IR 4 initializers are inputs too; the version converter wants them to be none.
    prepared.ir_version = max(prepared.ir_version, 7)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in prepared.graph.input if value.name not in weights]
    del prepared.graph.input[:]
    prepared.graph.input.extend(inputs)
    _flatten_biases(prepared)
    if prepared.opset_import[0].version < 13:  # the first with scales per channel
        prepared = onnx.version_converter.convert_version(prepared, 13)
    onnx.save(onnx.shape_inference.infer_shapes(prepared), path)


def _flatten_biases(model: ModelProto) -> None:
    """An addition that was fused into a product leaves a bias such as [1, N], where the tool expects [N]."""
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    biases = {node.input[2] for node in nodes if len(node.input) > 2}
    for tensor in model.graph.initializer:
        if tensor.name in biases:
            size = int(np.prod(tensor.dims))
            del tensor.dims[:]
            tensor.dims.append(size)
