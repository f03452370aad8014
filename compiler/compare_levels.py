"""Every tensor that a level and the ONNX model both name, compared: from where does the error come?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Attribute

from ..dialects.diagnostic import DiagnosticError
from ..dialects.quantized_element import real_value
from .calibration import load_calibration_data
from .comparison import Difference, compare_tensors
from .compilation import Compilation
from .execution import run_ir
from .pipelines import Level

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class LevelReport:
    """`differences`, worst first; `missing`: ONNX tensors that are no values of the level any more."""

    differences: list[Difference]
    missing: list[str]


def compare_with_onnxruntime(
    model: str | Path | ModelProto,
    compilation: Compilation,
    level: Level,
    *,
    inputs: str | Path | Mapping[str, np.ndarray] | None = None,
    samples: int = 8,
) -> LevelReport:
    """Lowers to `level`, runs it and ONNX Runtime on the same inputs and compares by name.

    Args:
        model: the ONNX model that the compilation began from.
        inputs: arrays by input name or an .npz; by default the calibration data, else random numbers.
        samples: how many samples of them.

    Raises:
        DiagnosticError: wrong inputs, or whatever stops the compilation.
    """
    from ..backends.cpu.session import run_onnx

    source = inputs if inputs is not None else compilation.options.calibration or "random:0"
    data = load_calibration_data(source, compilation.module)
    count = min(len(value) // _declared_batch(compilation, name) for name, value in data.items())
    if count < 1 or samples < 1:
        raise DiagnosticError(
            "there is not one whole sample to compare on", hint="give more inputs"
        )
    used = {
        name: value[: min(count, samples) * _declared_batch(compilation, name)]
        for name, value in data.items()
    }
    reference = run_onnx(model, used, intermediates=True)
    compilation.lower_to(level)
    # The buffers of tile IR hold storage values; what they stand for is in the types of the tpu level.
    types = _types_of(compilation.levels["tpu"]) if level == "tile" else {}
    seen: dict[str, np.ndarray] = {}

    def observe(name: str, value: np.ndarray) -> None:
        if name in reference:
            real = real_value(value, types[name]) if name in types else value
            seen[name] = real.reshape(-1, *real.shape[2:]) if real.ndim > 1 else real

    seen.update(run_ir(compilation.module, compilation.ctx, used, observe=observe))
    comparable = {
        name: value.reshape(reference[name].shape)
        for name, value in seen.items()
        if name in reference and value.size == reference[name].size
    }
    missing = [name for name in reference if name not in comparable]
    return LevelReport(compare_tensors(comparable, reference), missing)


def _types_of(module: ModuleOp) -> dict[str, Attribute]:
    """The type of every named tpu result."""
    types: dict[str, Attribute] = {}
    for op in module.walk():
        name = op.properties.get("name")
        if isinstance(name, StringAttr) and op.results:
            types[name.data] = op.results[0].type
    return types


def _declared_batch(compilation: Compilation, name: str) -> int:
    """Axis 0 of an input as the module declares it."""
    from ..backends.interpreter.samples import declared_inputs

    shape = declared_inputs(compilation.module)[name]
    return shape[0] if shape else 1
