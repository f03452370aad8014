"""Runs an ONNX model on ONNX Runtime, the independent reference that Smalti's results are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError, Place

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession

_EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"


def run_onnx(
    model: str | Path | ModelProto,
    inputs: Mapping[str, np.ndarray],
    *,
    intermediates: bool = False,
    shared: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Return the outputs of a model by name, computed by ONNX Runtime on the CPU.

    Args:
        model: path of an .onnx file, or a model.
        inputs: arrays by input name. If the model declares a fixed axis 0, an array whose axis 0 is S times as
            long holds S samples, as does [S] for a scalar: they are run one by one and their outputs joined along
            axis 0.
        intermediates: also return every tensor that a node computes (outside of subgraphs). ONNX
            Runtime's optimizations are then off: they would fuse tensors away.
        shared: inputs that all samples share, such as those that the network has as constants.

    Raises:
        DiagnosticError: if the file cannot be read, ONNX Runtime rejects the model, or inputs are missing or have
            wrong shapes.
    """
    return OnnxSession(model, intermediates=intermediates).run(inputs, shared)


class OnnxSession:
    """A model that ONNX Runtime has loaded, to be run any number of times.

    `intermediates`: as in `run_onnx`. Raises DiagnosticError if the file cannot be read or ONNX Runtime rejects the
    model.
    """

    def __init__(self, model: str | Path | ModelProto, *, intermediates: bool = False) -> None:
        self._session = _open(model, intermediates)

    def run(
        self, inputs: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Return the outputs by name; `inputs` and `shared` as in `run_onnx`. Raises DiagnosticError as that does."""
        session = self._session
        arrays, samples = _feeds(session, inputs, shared or {})
        names = [output.name for output in session.get_outputs()]
        runs = []
        for sample in range(samples):
            feeds = {name: _sample(array, size, sample) for name, (array, size) in arrays.items()}
            runs.append(_run(session, names, feeds))
        results: dict[str, np.ndarray] = {}
        for name, *parts in zip(names, *runs, strict=True):
            tensors = [part for part in parts if isinstance(part, np.ndarray)]
            if len(tensors) == samples:  # sequences and maps are no tensors
                results[name] = _join(tensors)
        return results


def _sample(array: np.ndarray, size: int | None, sample: int) -> np.ndarray:
    """Return a sample of an array: the next `size` rows, a scalar if `size` is None, all of it if it is 0."""
    if size is None:
        return np.asarray(array[sample])
    return array[sample * size : (sample + 1) * size] if size else array


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate([np.atleast_1d(part) for part in parts])


def _run(session: InferenceSession, names: list[str], feeds: dict[str, np.ndarray]) -> list[Any]:
    try:
        return list(session.run(names, feeds))
    except Exception as error:  # ONNX Runtime's exceptions have no public common base
        raise DiagnosticError(f"ONNX Runtime cannot run the model: {_reason(error)}") from error


def _open(model: str | Path | ModelProto, intermediates: bool) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if intermediates:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    file = str(model) if isinstance(model, str | Path) else model.graph.name
    try:
        if isinstance(model, str | Path) and not intermediates:
            source: str | bytes = str(model)
        else:
            source = _serialized(model, intermediates)
            if isinstance(model, str | Path):
                options.add_session_config_entry(_EXTERNAL_FOLDER, str(Path(model).parent))
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except DiagnosticError:
        raise
    except Exception as error:  # as above
        raise DiagnosticError(
            f"ONNX Runtime cannot load the model: {_reason(error)}",
            Place(file=file),
            hint="check the file, and that its opset is one that this ONNX Runtime knows",
        ) from error


def _serialized(model: str | Path | ModelProto, intermediates: bool) -> bytes:
    """Return the model's bytes; with `intermediates`, every tensor of its graph is among the outputs."""
    import onnx

    if isinstance(model, str | Path):
        model = onnx.load(str(model), load_external_data=False)
    if intermediates:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        known = {value.name for value in copy.graph.output}
        for node in copy.graph.node:
            for name in node.output:
                if name and name not in known:
                    known.add(name)
                    copy.graph.output.append(onnx.ValueInfoProto(name=name))
        model = copy
    return model.SerializeToString()


def _feeds(
    session: InferenceSession, inputs: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray]
) -> tuple[dict[str, tuple[np.ndarray, int | None]], int]:
    """Return each input's array and fixed axis 0 (0: pass the array on whole; None: scalars, one a sample), and the
    number of samples.
    """
    declared = {value.name: value for value in session.get_inputs()}
    given = {**inputs, **shared}
    overridable = {value.name: value for value in session.get_overridable_initializers()}
    for name in given:
        if name not in declared and name not in overridable:
            known = ", ".join(f"'{k}'" for k in declared)
            raise DiagnosticError(
                f"the model has no input '{name}'", hint=f"its inputs are: {known}"
            )
    feeds: dict[str, tuple[np.ndarray, int | None]] = {}
    counts: dict[str, int] = {}
    fed = {name: value for name, value in overridable.items() if name in given}
    for name, value in {**declared, **fed}.items():
        if name not in given:
            raise DiagnosticError(f"input '{name}' is missing", hint=f"its shape is {value.shape}")
        array = _typed(np.asarray(given[name]), value.type)
        if name in shared:
            feeds[name] = array, 0
            continue
        counts[name] = _count(name, array.shape, value.shape)
        lead = value.shape[0] if value.shape else None
        is_scalars = not value.shape and array.ndim == 1
        size = None if is_scalars else lead if isinstance(lead, int) and lead > 0 else 0
        feeds[name] = array, size
    fixed = {count for name, count in counts.items() if feeds[name][1] != 0}
    if len(fixed) > 1:
        raise DiagnosticError(f"the inputs have different numbers of samples: {counts}")
    samples = next(iter(fixed), 1)
    if samples > 1 and any(feeds[name][1] == 0 for name in counts):
        raise DiagnosticError("inputs with and without a fixed axis 0 cannot be split into samples")
    return feeds, samples


def _typed(array: np.ndarray, type: str) -> np.ndarray:
    """Convert numbers to f32 or f16 if the model asks for that type; leave the rest for ONNX Runtime to check."""
    wanted = {"tensor(float)": np.float32, "tensor(float16)": np.float16}.get(type)
    is_number = array.dtype.kind in "biuf"
    return array.astype(wanted, copy=False) if wanted is not None and is_number else array


def _count(name: str, shape: tuple[int, ...], declared: list[Any]) -> int:
    if not declared and len(shape) == 1 and shape[0] > 0:
        return shape[0]  # scalars
    fits = len(shape) == len(declared) and all(
        size == wanted
        for size, wanted in zip(shape[1:], declared[1:], strict=True)
        if isinstance(wanted, int) and wanted > 0
    )
    lead = declared[0] if declared else None
    if fits and not (isinstance(lead, int) and lead > 0):
        return 1
    if fits and isinstance(lead, int) and shape[0] > 0 and shape[0] % lead == 0:
        return shape[0] // lead
    raise DiagnosticError(
        f"input '{name}' has shape {list(shape)}, the model declares {declared}",
        hint="axis 0 may be a multiple of what is declared: several samples, one after the other",
    )


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
