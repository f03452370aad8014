"""An ONNX node as import functions see it: typed attributes, and inputs that are constants or run-time values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .value import FLOAT_DTYPES, Constant, Value, dtype_of_value

if TYPE_CHECKING:
    from onnx import NodeProto

    from ..model.tensors import TensorReader


class UnsupportedNodeError(Exception):
    """A node is valid ONNX, but Smalti cannot import it; all such nodes of a model are reported together."""


class BodyFaultError(DiagnosticError):
    """Nodes in the subgraphs of a node are wrong: the `faults`. `needs` says what cannot be imported beside them; it is
    empty if all else can.
    """

    def __init__(self, faults: Sequence[DiagnosticError], needs: str):
        first = faults[0]
        super().__init__(first.message, first.place, first.notes, first.hint)
        self.faults, self.needs = list(faults), needs


@dataclass
class Node:
    """One ONNX node with its inputs resolved; an optional input that is left out is None.

    `label` is the node's name; if it has none, a name made from its op and index. `scope` has the tensors that its
    subgraphs may read, by name.
    """

    proto: NodeProto
    opset: int
    label: str
    inputs: list[Value | None]
    used_outputs: list[bool]
    file: str
    reader: TensorReader
    scope: Mapping[str, Value | None] = field(default_factory=dict)
    _attributes: dict[str, Any] = field(init=False)

    def __post_init__(self):
        self._attributes = {attribute.name: attribute for attribute in self.proto.attribute}

    @property
    def op_type(self) -> str:
        """The op's name in ONNX."""
        return self.proto.op_type

    @property
    def output(self) -> str:
        """The name of the first output."""
        return self.proto.output[0]

    def input(self, index: int) -> Value:
        """Return input `index`, which the node must have."""
        return self.given(self.optional(index), f"input {index}")

    def given(self, value: Value | None, what: str) -> Value:
        """Return a value. Raises DiagnosticError if it is missing, and calls it `what`."""
        if value is None:
            raise self.error(f"{what} is missing")
        return value

    def optional(self, index: int) -> Value | None:
        """Return input `index`, or None if the node leaves it out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def constant(self, index: int, what: str) -> np.ndarray | None:
        """Return the elements of optional input `index`, or None if it is left out.

        Raises UnsupportedNodeError, which calls the input `what`, if it is not constant.
        """
        value = self.optional(index)
        if value is None:
            return None
        if not isinstance(value, Constant):
            raise UnsupportedNodeError(f"its {what} is computed at run time")
        return value.array

    def integers_of(self, index: int, what: str) -> list[int] | None:
        """Return the elements of optional input `index` as integers; a scalar counts as a list of one."""
        array = self.constant(index, what)
        if array is None:
            return None
        if array.ndim > 1 or array.dtype.kind not in "iu":
            raise self.error(
                f"{what} must be a list of integers, it is {array.dtype} {array.shape}"
            )
        return [int(value) for value in np.atleast_1d(array)]

    def changed(self, inputs: Sequence[Value | None], names: Mapping[int, str]) -> Node:
        """Return the node with other inputs, and other names of the outputs whose numbers `names` has."""
        proto = type(self.proto)()
        proto.CopyFrom(self.proto)
        for index, name in names.items():
            proto.output[index] = name
        return replace(self, inputs=list(inputs), proto=proto)

    def has(self, name: str) -> bool:
        """Return whether the node has the attribute `name`."""
        return name in self._attributes

    def attribute(self, name: str) -> Any:
        """Return attribute `name` as onnx's AttributeProto, or None."""
        return self._attributes.get(name)

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute, or its default."""
        attribute = self._typed(name, "INT")
        return default if attribute is None else int(attribute.i)

    def real(self, name: str, default: float) -> float:
        """Return a float attribute, or its default."""
        attribute = self._typed(name, "FLOAT")
        return default if attribute is None else float(attribute.f)

    def string(self, name: str, default: str) -> str:
        """Return a string attribute, or its default."""
        attribute = self._typed(name, "STRING")
        return default if attribute is None else attribute.s.decode("utf-8", "replace")

    def integers(self, name: str) -> list[int] | None:
        """Return an attribute that is a list of integers, or None."""
        attribute = self._typed(name, "INTS")
        return None if attribute is None else [int(value) for value in attribute.ints]

    def reals(self, name: str) -> list[float] | None:
        """Return an attribute that is a list of floats, or None."""
        attribute = self._typed(name, "FLOATS")
        return None if attribute is None else [float(value) for value in attribute.floats]

    def _typed(self, name: str, kind: str) -> Any:
        attribute = self._attributes.get(name)
        if attribute is not None and attribute.type != attribute.AttributeType.Value(kind):
            actual = attribute.AttributeType.Name(attribute.type)
            raise self.error(f"attribute '{name}' must be of type {kind}, it is {actual}")
        return attribute

    def axis(self, value: int, rank: int, what: str = "axis") -> int:
        """Return an axis as a non-negative number; negative ones count from the end.

        Raises:
            DiagnosticError: if a tensor of `rank` axes has no such axis.
        """
        if not -rank <= value < rank:
            raise self.error(f"{what} {value} is out of range for a tensor of {rank} axes")
        return value % rank

    def axes(self, values: Sequence[int], rank: int) -> tuple[int, ...]:
        """Return axes as ascending non-negative numbers. Raises DiagnosticError if one is given twice."""
        axes = sorted(self.axis(value, rank) for value in values)
        if len(set(axes)) != len(axes):
            raise self.error(f"axes {list(values)} name an axis twice")
        return tuple(axes)

    @property
    def float_dtype(self) -> np.dtype:
        """The float type that the node computes in: that of its first float input, or f32 if it has none."""
        known = [dtype_of_value(value) for value in self.inputs if value is not None]
        floats = (*FLOAT_DTYPES, np.float64)
        return next((dtype for dtype in known if dtype in floats), np.dtype(np.float32))

    def uses_output(self, index: int) -> bool:
        """Return whether anything in the model reads output `index`."""
        return index < len(self.used_outputs) and self.used_outputs[index]

    def only_first_output(self, reason: str) -> None:
        """Raise UnsupportedNodeError if an output after the first is used."""
        if any(self.used_outputs[1:]):
            raise UnsupportedNodeError(reason)

    def error(self, message: str, hint: str | None = None) -> DiagnosticError:
        """Return a diagnostic that points at this node, for the caller to raise if the model itself is wrong."""
        return DiagnosticError(message, self.place, hint=hint)

    @property
    def place(self) -> Place:
        """Where diagnostics about this node point."""
        return Place(file=self.file, name=f"node '{self.label}' ({self.op_type})")
