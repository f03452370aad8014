"""A graph under construction: nodes and initializers with names that say where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from . import weights


@dataclass
class Graph:
    """Appends nodes; `seed` is that of the weights."""

    seed: int
    nodes: list[NodeProto] = field(default_factory=list)
    initializers: list[TensorProto] = field(default_factory=list)

    def op(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node with one result; both are named `name`."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def split(self, x: str, sizes: str, names: Sequence[str], name: str, axis: int) -> None:
        """A Split into several results."""
        self.nodes.append(helper.make_node("Split", [x, sizes], list(names), name=name, axis=axis))

    def add(self, tensor: TensorProto) -> str:
        """An initializer."""
        self.initializers.append(tensor)
        return tensor.name

    def constant(self, name: str, value: np.ndarray) -> str:
        """An initializer of an array."""
        return self.add(numpy_helper.from_array(value, name))

    def scalar(self, name: str, value: float) -> str:
        """A float of rank 0."""
        return self.constant(name, np.array(value, np.float32))

    def integers(self, name: str, *values: int) -> str:
        """An int64 list."""
        return self.constant(name, np.array(values, np.int64))

    def linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        """x · W + b along the last axis, as exporters write it: MatMul and Add."""
        weight = weights.normal(self.seed, f"{name}.weight", (inputs, outputs), inputs**-0.5)
        product = self.op("MatMul", [x, self.add(weight)], f"{name}/MatMul")
        bias = weights.bias(self.seed, f"{name}.bias", (outputs,))
        return self.op("Add", [product, self.add(bias)], f"{name}/Add")

    def layer_norm(self, x: str, name: str, size: int, opset: int = 17) -> str:
        """A layer normalization along the last axis, of opset 17 or as PyTorch's exporter writes it before."""
        scale = self.add(weights.factor(self.seed, f"{name}.weight", (size,)))
        shift = self.add(weights.bias(self.seed, f"{name}.bias", (size,)))
        if opset >= 17:
            return self.op("LayerNormalization", [x, scale, shift], name, axis=-1, epsilon=1e-5)
        mean = self.op("ReduceMean", [x], f"{name}/ReduceMean", axes=[-1])
        d = self.op("Sub", [x, mean], f"{name}/Sub")
        y = self.op("Pow", [d, self.scalar(f"{name}.two", 2.0)], f"{name}/Pow")
        y = self.op("ReduceMean", [y], f"{name}/ReduceMean_1", axes=[-1])
        y = self.op("Add", [y, self.scalar(f"{name}.epsilon", 1e-5)], f"{name}/Add")
        y = self.op("Sqrt", [y], f"{name}/Sqrt")
        y = self.op("Div", [d, y], f"{name}/Div")
        y = self.op("Mul", [y, scale], f"{name}/Mul")
        return self.op("Add", [y, shift], name)

    def model(
        self,
        name: str,
        inputs: Sequence[ValueInfoProto],
        outputs: Sequence[ValueInfoProto],
        opset: int,
    ) -> ModelProto:
        """The model, in the IR version that came with its opset."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", opset)]
        version = helper.find_min_ir_version_for(opsets)
        return helper.make_model(graph, opset_imports=opsets, ir_version=version)


def tensor(name: str, *dimensions: int | str) -> ValueInfoProto:
    """A float tensor; a dimension may be the name of a symbol."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(dimensions))
