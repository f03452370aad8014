"""Writes the nodes of a function that defines an op by ops of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..graph.node import Node
from ..graph.value import dtype_of_value, shape_of

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET = 23
"""The opset of the nodes of these functions."""


@dataclass
class FunctionGraph:
    """The nodes of a function while they are written, for one node that calls it.

    Tensors are names; "" is one that is left out. `new_name` makes a name from one inside the function.
    """

    node: Node
    new_name: Callable[[str], str]
    nodes: list[NodeProto] = field(default_factory=list)

    def input(self, index: int) -> str:
        """Return the name of input `index`. Raises DiagnosticError if the node leaves it out."""
        self.node.input(index)
        return self.node.proto.input[index]

    def optional(self, index: int) -> str:
        """Return the name of input `index`, or "" if the node leaves it out."""
        return "" if self.node.optional(index) is None else self.node.proto.input[index]

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of input `index`, which the node must have."""
        return shape_of(self.node.input(index))

    def dtype(self, index: int) -> np.dtype:
        """Return the data type of the elements of input `index`, which the node must have."""
        return dtype_of_value(self.node.input(index))

    def add(self, kind: str, *inputs: str, to: int | None = None, **attributes: Any) -> str:
        """Write a node, and return the name of its result: output `to` of the calling node if it is given, else a new
        one. Attributes that are None are left out.
        """
        return self.add_several(kind, inputs, [to], **attributes)[0]

    def add_several(
        self, kind: str, inputs: Sequence[str], to: Sequence[int | None], **attributes: Any
    ) -> list[str]:
        """Write a node of several results; see `add`."""
        from onnx import helper

        names = [self._name(kind, index) for index in to]
        given = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, list(inputs), names, **given))
        return names

    def _name(self, kind: str, index: int | None) -> str:
        outputs = self.node.proto.output
        if index is not None and index < len(outputs) and outputs[index]:
            return outputs[index]
        return self.new_name(kind.lower())

    def constant(self, array: Any, dtype: Any = np.int64) -> str:
        """Write a constant of some numbers, and return its name."""
        from onnx import numpy_helper

        return self.add("Constant", value=numpy_helper.from_array(np.asarray(array, dtype)))

    def reshape(self, tensor: str, *shape: int, to: int | None = None) -> str:
        """Write the elements of a tensor in another shape."""
        return self.add("Reshape", tensor, self.constant(shape), to=to, allowzero=1)

    def transpose(self, tensor: str, *permutation: int, to: int | None = None) -> str:
        """Write a tensor whose axis i is axis permutation[i] of the given one."""
        return self.add("Transpose", tensor, perm=permutation, to=to)

    def cast(self, tensor: str, dtype: Any) -> str:
        """Write the elements of a tensor in another data type."""
        from onnx import helper

        number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        name = self._name("cast", None)
        self.nodes.append(helper.make_node("Cast", [tensor], [name], to=number))
        return name

    def slice(self, tensor: str, axis: int, start: int, end: int) -> str:
        """Write the elements from `start` to `end` along an axis."""
        bounds = (self.constant([each]) for each in (start, end, axis))
        return self.add("Slice", tensor, *bounds)

    def split(self, tensor: str, axis: int, sizes: Sequence[int]) -> list[str]:
        """Write the parts of a tensor of these sizes along an axis."""
        return self.add_several(
            "Split", [tensor, self.constant(sizes)], [None] * len(sizes), axis=axis
        )

    def add_given(self, tensor: str, *addends: str, to: int | None = None) -> str:
        """Write the sum of a tensor and of those addends that are not left out."""
        given = [each for each in addends if each]
        for position, each in enumerate(given):
            last = position == len(given) - 1
            tensor = self.add("Add", tensor, each, to=to if last else None)
        return tensor if given or to is None else self.add("Identity", tensor, to=to)


WriteFunction: TypeAlias = Callable[[FunctionGraph], None]
"""Writes the nodes that compute what a node does. Raises UnsupportedNodeError for a form of the op that they do not
compute.
"""


@dataclass(frozen=True)
class FunctionDefinition:
    """How an op is written with ops of ONNX, and where these will mostly run (for `smalti ops`)."""

    write: WriteFunction
    engine: str
