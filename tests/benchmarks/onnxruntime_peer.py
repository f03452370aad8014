"""`python -m tests.benchmarks.onnxruntime_peer MODEL [DATA]`: ONNX Runtime's way from a float model to one that runs in
INT8.

Static quantization by its own tool (weights per channel, calibration on an .npz, or on eight samples, as many as
"random:SEED" makes), and a session of the result.
"""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
from smalti.compiler.calibration.samples import RANDOM_SAMPLES

from tests.networks.onnxruntime_int8 import quantized_model


def main() -> int:
    """The exit code: 0."""
    model = onnx.load(sys.argv[1])
    weights = {tensor.name for tensor in model.graph.initializer}
    data: dict[str, np.ndarray] = dict(np.load(sys.argv[2])) if len(sys.argv) > 2 else {}
    for value in model.graph.input:
        if value.name not in weights and value.name not in data:
            shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
            rng = np.random.default_rng(0)
            data[value.name] = rng.standard_normal((RANDOM_SAMPLES, *shape[1:]), dtype=np.float32)
    result = quantized_model(model, data)
    onnxruntime.InferenceSession(result.SerializeToString(), providers=["CPUExecutionProvider"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
