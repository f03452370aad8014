"""How near Smalti is to ONNX Runtime on one ONNX file, at `top` and compiled in each number format, and its cycles."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import ModelProto
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model
from smalti.passes.top_to_tpu.precision.schemes import Quantize

Arrays = Mapping[str, np.ndarray]
TARGET = "default-8c"
HEADER = (
    "model", "file", "nodes", "top", "f32", "f16", "INT8 [dB]", "cycles f32", "bound f32", "cycles INT8", "bound INT8",
    "host calls",
)  # fmt: skip
"""Columns: errors at `top`, in f32 and in f16 relative to the range of each output, the worst of all outputs."""


@dataclass(frozen=True)
class ModelFile:
    """A model, operands to run it with, and what must be known for its import.

    `samples` are further operands, of which the ranges of INT8 are calibrated, and at least one.
    """

    name: str
    model: str | Path | ModelProto
    inputs: Arrays
    samples: tuple[Arrays, ...] = ()
    file: str = ""
    constants: Mapping[str, object] = field(default_factory=dict)
    """Graph inputs that are constants for Smalti."""


def row(each: ModelFile, formats: tuple[Quantize, ...] = ("f32", "f16", "int8")) -> list[str]:
    """Return the cells of a line: of a format that fails, the diagnostic's first words."""
    expected = run_onnxruntime(each)
    nodes, top_cell = _at_top(each, expected)
    cells = {name: _compiled(each, name, expected) for name in formats}
    f32, f16, int8 = (cells.get(name, Compiled("")) for name in ("f32", "f16", "int8"))
    return [
        each.name,
        each.file,
        nodes,
        top_cell,
        f32.accuracy,
        f16.accuracy,
        int8.accuracy,
        f32.cycles,
        f32.bound,
        int8.cycles,
        int8.bound,
        f32.host_calls,
    ]


def run_onnxruntime(each: ModelFile) -> dict[str, np.ndarray]:
    """Return the outputs of ONNX Runtime, by name."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    content = (
        each.model.SerializeToString() if isinstance(each.model, ModelProto) else str(each.model)
    )
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    given = {
        value.name: np.asarray(each.inputs.get(value.name, each.constants.get(value.name)))
        for value in session.get_inputs()
    }
    return {
        name: np.asarray(value)
        for name, value in zip(names, session.run(names, given), strict=True)
    }


def output_error(expected: Arrays, found: Arrays) -> float:
    """Return the largest difference of any output relative to the largest magnitude in it; outputs of integers or bools
    count as 1 if they differ at all.
    """
    worst = 0.0
    for name, want in expected.items():
        have = found[name]
        if want.dtype.kind not in "f":
            worst = max(worst, float(not np.array_equal(want, have)))
            continue
        wide, other = want.astype(np.float64), have.astype(np.float64)
        scale = float(np.abs(wide).max(initial=0)) or 1.0
        worst = max(worst, float(np.abs(wide - other).max(initial=0)) / scale)
    return worst


def output_snr(expected: Arrays, found: Arrays) -> float:
    """Return the least signal-to-noise ratio of the outputs that are floats, in decibels."""
    least = np.inf
    for name, want in expected.items():
        if want.dtype.kind == "f" and want.size:
            wide = want.astype(np.float64)
            noise = float(np.square(wide - found[name].astype(np.float64)).sum())
            power = float(np.square(wide).sum())
            least = min(least, 10 * np.log10(power / noise) if noise and power else np.inf)
    return least


def _at_top(each: ModelFile, expected: Arrays) -> tuple[str, str]:
    try:
        with _quiet():
            imported = import_model(each.model, **shape_arguments(each))
            found = imported.run(each.inputs)
    except DiagnosticError as error:
        return "", _short(error)
    return str(imported.counts()[0]), f"{output_error(expected, found):.1e}"


@dataclass(frozen=True)
class Compiled:
    """The cells of one number format."""

    accuracy: str
    cycles: str = ""
    bound: str = ""
    host_calls: str = ""


def _compiled(each: ModelFile, quantize: Quantize, expected: Arrays) -> Compiled:
    try:
        with _quiet():
            compiled = compile_model(
                each.model,
                target=TARGET,
                quantize=quantize,
                calibration=_calibration(each) if quantize == "int8" else None,
                **shape_arguments(each),
            )
            found = compiled.run(each.inputs)
    except DiagnosticError as error:
        return Compiled(_short(error))
    assert compiled.bound is not None
    accuracy = (
        f"{output_snr(expected, found):.1f}"
        if quantize == "int8"
        else f"{output_error(expected, found):.1e}"
    )
    timing = compiled.profile()
    return Compiled(
        accuracy, f"{timing.cycles:,}", f"{compiled.bound.cycles:,}", str(timing.host_calls)
    )


def shape_arguments(each: ModelFile) -> dict:
    """Return what `import_model` must know of the model's dynamic shapes: those of the operands."""
    arguments: dict = {"input_shapes": {name: list(a.shape) for name, a in each.inputs.items()}}
    if each.constants:
        arguments["constants"] = each.constants
    return arguments


def _calibration(each: ModelFile) -> dict[str, np.ndarray]:
    samples = each.samples or (each.inputs,)
    return {name: np.concatenate([one[name] for one in samples]) for name in each.inputs}


def _short(error: DiagnosticError) -> str:
    return error.message.split(":")[0][:60].replace("|", "/")


@contextlib.contextmanager
def _quiet():
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
