"""What can be wrong with a graph, and with its weights and inputs."""

from __future__ import annotations

from onnx import ModelProto, NodeProto, TensorProto

from .building import INT64, Edit


def _append(model: ModelProto, *nodes: NodeProto) -> None:
    model.graph.node.extend(nodes)


def _copy_field(model: ModelProto, field: str) -> None:
    values = getattr(model.graph, field)
    values.add().CopyFrom(values[0])


GRAPHS: dict[str, Edit] = {
    "no graph": lambda m: m.ClearField("graph"),
    "no nodes": lambda m: m.graph.ClearField("node"),
    "no outputs": lambda m: m.graph.ClearField("output"),
    "no inputs": lambda m: m.graph.ClearField("input"),
    "no weights": lambda m: m.graph.ClearField("initializer"),
    "reads itself": lambda m: m.graph.node[1].input.__setitem__(0, "r1"),
    "cycle of two": lambda m: m.graph.node[0].input.__setitem__(0, "r1"),
    "cycle of all": lambda m: m.graph.node[0].input.__setitem__(0, "y"),
    "undefined tensor": lambda m: m.graph.node[3].input.__setitem__(1, "nowhere"),
    "undefined output": lambda m: setattr(m.graph.output[0], "name", "nowhere"),
    "tensor made twice": lambda m: m.graph.node[1].output.__setitem__(0, "c1"),
    "node twice": lambda m: _append(m, m.graph.node[0]),
    "result of the input's name": lambda m: m.graph.node[0].output.__setitem__(0, "x"),
    "result of a weight's name": lambda m: m.graph.node[0].output.__setitem__(0, "w2"),
    "input twice": lambda m: _copy_field(m, "input"),
    "weight twice": lambda m: _copy_field(m, "initializer"),
    "input without a name": lambda m: m.graph.input[0].ClearField("name"),
    "output without a name": lambda m: m.graph.output[0].ClearField("name"),
    "weight without a name": lambda m: m.graph.initializer[0].ClearField("name"),
    "input without a type": lambda m: m.graph.input[0].ClearField("type"),
    "node without an op": lambda m: m.graph.node[1].ClearField("op_type"),
    "unknown op": lambda m: setattr(m.graph.node[1], "op_type", "Reluu"),
    "op in other letters": lambda m: setattr(m.graph.node[1], "op_type", "relu"),
    "unknown domain": lambda m: setattr(m.graph.node[1], "domain", "org.nobody"),
    "no opsets": lambda m: m.ClearField("opset_import"),
    "opset 0": lambda m: setattr(m.opset_import[0], "version", 0),
    "opset -1": lambda m: setattr(m.opset_import[0], "version", -1),
    "opset 1000": lambda m: setattr(m.opset_import[0], "version", 1000),
    "opset 2^62": lambda m: setattr(m.opset_import[0], "version", 2**62),
    "two opsets": lambda m: m.opset_import.add(domain="", version=11),
    "no ir version": lambda m: m.ClearField("ir_version"),
    "ir version 0": lambda m: setattr(m, "ir_version", 0),
    "ir version 2^40": lambda m: setattr(m, "ir_version", 2**40),
    "no operand": lambda m: m.graph.node[1].ClearField("input"),
    "too many operands": lambda m: m.graph.node[1].input.append("x"),
    "operand left out": lambda m: m.graph.node[0].input.__setitem__(1, ""),
    "no result": lambda m: m.graph.node[1].ClearField("output"),
    "too many results": lambda m: m.graph.node[1].output.append("more"),
    "result left out": lambda m: m.graph.node[1].output.__setitem__(0, ""),
}
"""What can be wrong with a graph."""


def _tensor(model: ModelProto, index: int = 0) -> TensorProto:
    return model.graph.initializer[index]


def _sizes(model: ModelProto, *sizes: int) -> None:
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, sizes, strict=False):
        dim.dim_value = size


TENSORS: dict[str, Edit] = {
    "2^31 filters": lambda m: _tensor(m).dims.__setitem__(0, 2**31),
    "2^62 filters": lambda m: _tensor(m).dims.__setitem__(0, 2**62),
    "sizes beyond 64 bits": lambda m: _tensor(m).dims.__setitem__(slice(None), [2**33] * 4),
    "-1 filters": lambda m: _tensor(m).dims.__setitem__(0, -1),
    "one filter more": lambda m: _tensor(m).dims.__setitem__(0, 9),
    "weight without an axis": lambda m: _tensor(m).ClearField("dims"),
    "weight of 40 axes": lambda m: _tensor(m).dims.extend([1] * 36),
    "weight without data": lambda m: _tensor(m).ClearField("raw_data"),
    "weight one byte short": lambda m: setattr(_tensor(m), "raw_data", _tensor(m).raw_data[:-1]),
    "weight one byte long": lambda m: setattr(_tensor(m), "raw_data", _tensor(m).raw_data + b"\0"),
    "data twice": lambda m: _tensor(m).float_data.append(1.0),
    "data of another type": lambda m: setattr(_tensor(m), "data_type", TensorProto.DOUBLE),
    "weight of no type": lambda m: setattr(_tensor(m), "data_type", 0),
    "weight of type 99": lambda m: setattr(_tensor(m), "data_type", 99),
    "weight of strings": lambda m: setattr(_tensor(m), "data_type", TensorProto.STRING),
    "weight of integers": lambda m: setattr(_tensor(m), "data_type", TensorProto.INT32),
    "weight in segments": lambda m: setattr(_tensor(m).segment, "begin", 3),
    "input of 2^40 rows": lambda m: _sizes(m, 1, 3, 2**40, 12),
    "input of 2^62 pixels": lambda m: _sizes(m, 1, 3, 2**31, 2**31),
    "input of -5 samples": lambda m: _sizes(m, -5),
    "input of 4 channels": lambda m: _sizes(m, 1, 4, 12, 12),
    "input of one axis": lambda m: m.graph.input[0].type.tensor_type.shape.dim.__delitem__(slice(1, 4)),
    "input without a shape": lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"),
    "input of unknown size": lambda m: m.graph.input[0].type.tensor_type.shape.dim[2].Clear(),
    "input of strings": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING),
    "complex input": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.COMPLEX64),
    "input of no type": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 0),
    "input of type 77": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 77),
    "input of f64": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.DOUBLE),
    "input of i64": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", INT64),
    "sequence as input": lambda m: m.graph.input[0].type.sequence_type.elem_type.tensor_type.Clear(),
    "map as input": lambda m: setattr(m.graph.input[0].type.map_type, "key_type", INT64),
}  # fmt: skip
"""What can be wrong with weights and inputs."""
