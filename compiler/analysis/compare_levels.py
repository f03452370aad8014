"""Compares every tensor that a level and the ONNX model both name, to show where an error comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Attribute

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.targets.target import Target, reference_to
from ...dialects.level import Level
from ...dialects.quant.number_format import real_value
from ...passes.top_to_tpu.quantize_option import Quantize
from ..calibration.samples import load_calibration_data
from ..compilation.compilation import (
    CalibrationSource,
    Compilation,
    CompileOptions,
    start_from_model,
)
from ..compilation.execution import run_ir
from .comparison import Difference, compare_tensors, differences_html, worst_first

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, repr=False)
class LevelReport:
    """What became of each tensor of the ONNX model at a level.

    `differences`: one for each tensor that the level still has, in the order in which they are computed.
    `missing`: the tensors that the level no longer has, because they were folded or fused.
    """

    differences: list[Difference]
    missing: list[str]

    def __repr__(self) -> str:
        count = f"{len(self.differences)} tensors compared, {len(self.missing)} folded or fused"
        if not self.differences:
            return f"<LevelReport: {count}>"
        return f"<LevelReport: {count}, worst {self.worst.name!r} with {self.worst.snr_db:.2f} dB>"

    def _repr_html_(self) -> str:
        return differences_html(worst_first(self.differences))

    @property
    def worst(self) -> Difference:
        """The tensor with the least signal-to-noise ratio."""
        return worst_first(self.differences)[0]

    def to_json(self) -> dict[str, Any]:
        """Return {"rows": a dictionary per tensor, "missing": names}."""
        return {"rows": [each.to_json() for each in self.differences], "missing": self.missing}


def compare_model(
    model: str | Path | ModelProto,
    *,
    level: Level = "tpu",
    target: str | Path | Target = "default-8c",
    cores: int | None = None,
    quantize: Quantize = "int8",
    calibration: CalibrationSource | None = None,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    inputs: str | Path | Mapping[str, np.ndarray] | None = None,
    samples: int = 8,
) -> LevelReport:
    """Compile an ONNX model and compare every tensor that a level and the model both name with what ONNX Runtime
    computes.

    Args:
        level: the level whose IR is run: "top", "tpu" or "tile".
        inputs: arrays by input name or an .npz; by default the calibration data, else random numbers.
        samples: how many samples of them.

    The other arguments are those of `compile_model`, and it raises the same errors.
    """
    options = CompileOptions(reference_to(target), cores, quantize, calibration)
    compilation = start_from_model(
        model, options, batch=batch, input_shapes=input_shapes, symbols=symbols
    )
    return compare_with_onnxruntime(model, compilation, level, inputs=inputs, samples=samples)


def compare_with_onnxruntime(
    model: str | Path | ModelProto,
    compilation: Compilation,
    level: Level,
    *,
    inputs: str | Path | Mapping[str, np.ndarray] | None = None,
    samples: int = 8,
) -> LevelReport:
    """Lower to `level`, run it and ONNX Runtime on the same inputs and compare by name.

    Args:
        model: the ONNX model that the compilation began from.
        inputs: arrays by input name or an .npz; by default the calibration data, else random numbers.
        samples: how many samples of them.

    Raises:
        DiagnosticError: if the inputs do not fit, or if the compilation fails.
    """
    from ...backends.cpu.session import run_onnx

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
    # The buffers of tile IR hold storage values; the types of the tpu level say which numbers these stand for.
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
    """Return the type of every named tpu result, by name."""
    types: dict[str, Attribute] = {}
    for op in module.walk():
        name = op.properties.get("name")
        if isinstance(name, StringAttr) and op.results:
            types[name.data] = op.results[0].type
    return types


def _declared_batch(compilation: Compilation, name: str) -> int:
    """Return axis 0 of an input as the module declares it."""
    from ...backends.interpreter.samples import declared_inputs

    shape = declared_inputs(compilation.module)[name]
    return shape[0] if shape else 1
