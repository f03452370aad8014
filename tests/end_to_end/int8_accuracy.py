"""How far small INT8 networks are from ONNX Runtime's floats, on the simulator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model

SAMPLES = 8
Arrays = Mapping[str, np.ndarray]


def outputs(model: ModelProto, inputs: Arrays) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each output in INT8, calibrated on the same inputs, and what it should be."""
    compiled = compile_model(model, target="edge-1c", quantize="int8", calibration=dict(inputs))
    got, expected = compiled.run(inputs), run_onnx(model, inputs)
    assert all(np.isfinite(value).all() for value in expected.values()), "a test of finite numbers"
    return [(got[name], expected[name]) for name in expected]


def decibels(got: np.ndarray, expected: np.ndarray) -> float:
    """The signal-to-noise ratio."""
    noise = float(((got.astype(np.float64) - expected) ** 2).sum())
    return (
        np.inf
        if noise == 0
        else 10 * np.log10(float((expected.astype(np.float64) ** 2).sum()) / noise)
    )


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal random f32 numbers."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)
