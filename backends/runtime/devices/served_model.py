"""A model that is to be served, as ONNX declares it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError, Place
from ...diagnostics.files import why_no_file
from ...numerics.storage import dtype_of

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

    from ...program.program import Program


@dataclass(frozen=True)
class ServedPort:
    """An input or output: its name, its shape, where None is a size that the model leaves open, and its dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype

    @property
    def holds_one_sample(self) -> bool:
        """Whether axis 0 is open or 1, so that samples can be joined along it."""
        return bool(self.shape) and self.shape[0] in (None, 1)

    def check(self, array: np.ndarray) -> np.ndarray:
        """Return an array in the port's dtype; floats are rounded to it.

        Raises DiagnosticError if its shape or its numbers do not fit, or if integers do not fit the dtype.
        """
        fits = array.ndim == len(self.shape) and all(
            wanted is None or size == wanted
            for size, wanted in zip(array.shape, self.shape, strict=True)
        )
        if not fits:
            shown = [("?" if size is None else size) for size in self.shape]
            raise DiagnosticError(
                f"input '{self.name}' has shape {list(array.shape)}, "
                f"expected [{', '.join(map(str, shown))}]"
            )
        if array.dtype != self.dtype and not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise DiagnosticError(
                f"input '{self.name}' has type {array.dtype}, expected {self.dtype}"
            )
        converted = array.astype(self.dtype, copy=False)
        if array.dtype.kind in "iu" and self.dtype.kind in "iu":
            changed = np.flatnonzero(converted != array)
            if changed.size:
                raise DiagnosticError(
                    f"input '{self.name}' holds {array.flat[changed[0]]}, "
                    f"which {self.dtype} cannot hold",
                    hint=f"give numbers that fit {self.dtype}",
                )
        return converted


class ServedModel:
    """A model of ONNX with its ports; `source` is a path, or the model itself. `nodes`: their names; those without
    one are called by op and place, as in messages of the compiler.

    Raises DiagnosticError if the file cannot be read or is no model of ONNX.
    """

    def __init__(self, source: str | Path | ModelProto) -> None:
        self.source = source
        graph = _read(source).graph
        constants = {each.name for each in graph.initializer}
        self.name = graph.name
        self.nodes = [
            node.name or f"{node.op_type}_{place}" for place, node in enumerate(graph.node)
        ]
        self.inputs = [_port(each) for each in graph.input if each.name not in constants]
        self.outputs = [_port(each) for each in graph.output]

    @property
    def whole_ports(self) -> list[ServedPort]:
        """The inputs and outputs along whose axis 0 samples cannot be joined; with any, it is served singly."""
        return [each for each in (*self.inputs, *self.outputs) if not each.holds_one_sample]


class ServedProgram(ServedModel):
    """A program that was compiled before, as a model: its ports are those that the model had."""

    def __init__(self, program: Program) -> None:
        self.source, self.name = "", program.name
        self.nodes = list(dict.fromkeys(node for each in program.debug for node in each.nodes))
        self.inputs, self.outputs = (
            [
                ServedPort(port.name, port.shape, dtype_of(port.model or port.storage))
                for port in ports
            ]
            for ports in (program.inputs, program.outputs)
        )


def _read(source: str | Path | ModelProto) -> ModelProto:
    import onnx

    if isinstance(source, onnx.ModelProto):
        return source
    if (reason := why_no_file(Path(source))) is not None:
        raise DiagnosticError(reason, Place(file=str(source)), hint="check the path")
    try:
        return onnx.load(str(source), load_external_data=False)
    except Exception:  # protobuf's errors have no public common base
        raise DiagnosticError("this is no model of ONNX", Place(file=str(source))) from None


def _port(value: ValueInfoProto) -> ServedPort:
    import onnx

    tensor = value.type.tensor_type
    sizes = tuple(
        each.dim_value if each.HasField("dim_value") and each.dim_value > 0 else None
        for each in tensor.shape.dim
    )
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    except KeyError:
        raise DiagnosticError(
            f"'{value.name}' is no tensor", hint="only tensors are served"
        ) from None
    return ServedPort(value.name, sizes, dtype)
