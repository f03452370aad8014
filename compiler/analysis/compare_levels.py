"""Compares every tensor that a level and the ONNX model both name, to show where an error comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.interpreter.samples import declared_inputs, joined
from ...backends.targets.target import Target, reference_to
from ...dialects.level import Level
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of
from ...dialects.quant.number_format import real_value
from ...passes.top_to_tpu.precision.schemes import Quantize
from ..calibration.samples import load_calibration_data
from ..compilation.compilation import Compilation, start_from_model
from ..compilation.compile_options import CalibrationSource, CompileOptions
from ..compilation.execution import run_ir
from .comparison import Difference, compare_tensors, worst_first
from .comparison_table import comparison_html, format_comparison, summary_line
from .input_dependence import computed_from_inputs
from .output_parts import OutputDifference

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, repr=False)
class LevelReport:
    """What became of each tensor of the ONNX model at a level.

    `differences`: one for each tensor that the level still has, outputs included, in the order in which they are
    computed. `outputs`: the network's outputs in their order, with the columns or channels that differ from the others.
    `missing`: the tensors that the level no longer has, because they were folded or fused; tensors that do not depend
    on the values of inputs are not among them.
    """

    differences: list[Difference]
    outputs: list[OutputDifference]
    missing: list[str]

    def __repr__(self) -> str:
        return f"<LevelReport: {self.summary}>"

    def _repr_html_(self) -> str:
        return comparison_html(self.outputs, self.tensors, self.summary)

    @property
    def tensors(self) -> list[Difference]:
        """The differences of the tensors that are no outputs, in the order in which they are computed."""
        names = {each.whole.name for each in self.outputs}
        return [each for each in self.differences if each.name not in names]

    @property
    def worst(self) -> Difference:
        """The tensor with the least signal-to-noise ratio, which may be an output."""
        return worst_first(self.differences)[0]

    @property
    def summary(self) -> str:
        """One line: how many outputs and other tensors were compared, the worst of each, and how many are missing."""
        missing = f"; {len(self.missing)} folded or fused" if self.missing else ""
        return summary_line(self.outputs, self.tensors) + missing

    def text(self, order: Literal["worst", "execution"] = "worst", limit: int | None = None) -> str:
        """Return tables of the outputs and of the other tensors, what is missing, and the summary.

        Args:
            order: of the other tensors: least signal-to-noise ratio first, or as they are computed.
            limit: how many other tensors to show; None for all.
        """
        worst = order == "worst"
        tensors = worst_first(self.tensors) if worst else self.tensors
        said = "worst first" if worst else "as they are computed"
        lines = [format_comparison(self.outputs, tensors, said, limit)]
        if self.missing:
            lines.append(f"not values of this level (folded or fused): {', '.join(self.missing)}")
        return "\n".join([*lines, self.summary])

    def to_json(self) -> dict[str, Any]:
        """Return {"summary": a line, "rows": a dictionary per tensor, outputs first, "parts": one per range of an
        output's columns or channels, "missing": names}.
        """
        outputs = [{**each.whole.to_json(), "output": True} for each in self.outputs]
        tensors = [{**each.to_json(), "output": False} for each in self.tensors]
        parts = [part.to_json() for each in self.outputs for part in each.parts]
        return {
            "summary": self.summary,
            "rows": [*outputs, *tensors],
            "parts": parts,
            "missing": self.missing,
        }


def compare_model(
    model: str | Path | ModelProto,
    *,
    level: Level = "tpu",
    target: str | Path | Target = "default-8c",
    cores: int | None = None,
    quantize: Quantize = "int8",
    calibration: CalibrationSource | None = None,
    qtable: str | Path | None = None,
    scheme: str | None = None,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
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
    options = CompileOptions(
        reference_to(target), cores, quantize, calibration, qtable=qtable, scheme=scheme
    )
    compilation = start_from_model(
        model,
        options,
        batch=batch,
        input_shapes=input_shapes,
        symbols=symbols,
        constants=constants,
    )
    return compare_with_onnxruntime(
        model, compilation, level, inputs=inputs, samples=samples, constants=constants
    )


def compare_with_onnxruntime(
    model: str | Path | ModelProto,
    compilation: Compilation,
    level: Level,
    *,
    inputs: str | Path | Mapping[str, np.ndarray] | None = None,
    samples: int = 8,
    constants: Mapping[str, ArrayLike] | None = None,
) -> LevelReport:
    """Lower to `level`, run it and ONNX Runtime on the same inputs and compare by name.

    Args:
        model: the ONNX model that the compilation began from.
        inputs: arrays by input name or an .npz; by default the calibration data, else random numbers.
        samples: how many samples of them.
        constants: values of the inputs that the compilation began with as constants.

    Raises:
        DiagnosticError: if the inputs do not fit, or if the compilation fails.
    """
    from ...backends.cpu.session import run_onnx
    from ..onnx_import.model.input_constants import fed_constants

    options = compilation.options
    source = inputs if inputs is not None else options.calibration or "random:0"
    if level == "top" or not options.quantizes:
        # Floats need no ranges, so that data on which they are infinite are compared, too.
        compilation.options = replace(options, calibration=None)
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
    fixed = fed_constants(model, constants or {})
    reference = run_onnx(model, used, intermediates=True, shared=fixed)
    compilation.lower_to(level)
    # The buffers of tile IR hold storage values; the types of the tpu level say which numbers these stand for.
    types = _types_of(compilation.levels["tpu"], Attribute) if level == "tile" else {}
    # Quantized tensors are compared by the numbers that they stand for; ONNX Runtime gives integers.
    quantized = _types_of(compilation.levels["top"], UniformQuantizedType)
    for name in quantized.keys() & reference.keys():
        reference[name] = _dequantized(reference[name], quantized[name])
    seen: dict[str, np.ndarray] = {}

    def observe(name: str, value: np.ndarray) -> None:
        if name in reference:
            real = real_value(value, types[name]) if name in types else value
            seen[name] = joined(real, len(real))

    outputs = run_ir(compilation.module, compilation.ctx, used, observe=observe)
    for name, value in outputs.items():
        seen[name] = _dequantized(value, quantized[name]) if name in quantized else value
    comparable = {
        name: value.reshape(reference[name].shape)
        for name, value in seen.items()
        if name in reference and value.size == reference[name].size
    }
    computed = computed_from_inputs(model)
    missing = [name for name in reference if name in computed and name not in comparable]
    judged = [
        OutputDifference.between(name, comparable[name], reference[name])
        for name in outputs
        if name in comparable
    ]
    return LevelReport(compare_tensors(comparable, reference), judged, missing)


def _types_of(module: ModuleOp, kind: type[Attribute]) -> dict[str, Attribute]:
    """Return the type of every named result whose elements are of a kind of type, by name."""
    types: dict[str, Attribute] = {}
    for op in module.walk():
        name = op.properties.get("name")
        if (
            isinstance(name, StringAttr)
            and op.results
            and isinstance(element_of(op.results[0]), kind)
        ):
            types[name.data] = op.results[0].type
    return types


def _dequantized(integers: np.ndarray, type: Attribute) -> np.ndarray:
    """Return the f32 numbers that integers [S · axis 0, ...] of a quantized type stand for, in the same shape. Integers
    that fit no number of samples stay as they are.
    """
    assert isinstance(type, TensorType)
    shape = type.get_shape()
    if integers.dtype.kind == "f" or 0 in shape or integers.size % prod(shape):
        return integers
    return real_value(integers.reshape(-1, *shape), type).reshape(integers.shape)


def _declared_batch(compilation: Compilation, name: str) -> int:
    """Return axis 0 of an input as the module declares it."""
    shape = declared_inputs(compilation.module)[name]
    return shape[0] if shape else 1
