"""An ONNX graph that grows node by node, by choices that Hypothesis draws."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx.helper as oh
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

MAX_ELEMENTS = 6000
"""No tensor of a network grows larger than that."""


@dataclass
class Graph:
    """A graph that grows node by node; `values` holds each tensor's shape, sizes all known."""

    draw: Callable[..., Any]
    rng: np.random.Generator
    amplifies: bool = True
    """Whether ops may make much more of their input's rounding errors, or of its range."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    values: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def choose(self, *options: Any) -> Any:
        """Draw one of the options."""
        return self.draw(st.sampled_from(options))

    def integer(self, low: int, high: int) -> int:
        """Draw an integer of a range, both ends included."""
        return self.draw(st.integers(low, high))

    def weight(self, *shape: int, scale: float = 1.0) -> str:
        """Add a float constant with normal values; return its name."""
        name = f"w{len(self.weights)}"
        values = self.rng.normal(0, scale, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, values: Any, dtype: Any) -> str:
        """Add a constant of the given values; return its name."""
        name = f"k{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: Any) -> str:
        """Add a node; return the name of its output, of the given shape."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(
            oh.make_node(op, inputs, [name], name=f"{op}_{len(self.nodes)}", **attributes)
        )
        self.values[name] = shape
        return name

    def split(self, x: str, parts: str, axis: int, sizes: list[int], kept: int) -> str:
        """Add a Split in two parts of `sizes`; return the name of part `kept`."""
        shape, count = self.values[x], len(self.nodes)
        names = [f"t{count}" if index == kept else f"t{count}_beside" for index in range(2)]
        self.nodes.append(
            oh.make_node("Split", [x, parts], names, name=f"Split_{count}", axis=axis)
        )
        for name, size in zip(names, sizes, strict=True):
            self.values[name] = (*shape[:axis], size, *shape[axis + 1 :])
        return names[kept]

    def infer(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node whose output shape ONNX infers; take it back if that fails or is too large."""
        name = self.node(op, inputs, (), **attributes)
        try:
            shape = self._inferred(name)
        except onnx.shape_inference.InferenceError:
            shape = ()
        if not shape or min(shape) < 1 or np.prod(shape) > MAX_ELEMENTS:
            self.nodes.pop()
            del self.values[name]
            return inputs[0]
        self.values[name] = shape
        return name

    def _inferred(self, name: str) -> tuple[int, ...]:
        node = self.nodes[-1]
        shaped = [
            oh.make_tensor_value_info(n, TensorProto.FLOAT, self.values[n])
            for n in node.input
            if n in self.values
        ]
        out = oh.make_tensor_value_info(name, TensorProto.FLOAT, None)
        graph = oh.make_graph([node], "one", shaped, [out], self.weights)
        model = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        dims = inferred.graph.output[0].type.tensor_type.shape.dim
        return tuple(d.dim_value for d in dims)
