"""Seeded weights for a topology: He-normal products, and batch norms with the statistics of the data they see."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from zlib import crc32

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


def generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers of their own for each tensor: they do not depend on the order in which tensors are made."""
    return np.random.default_rng([seed, crc32(name.encode())])


def he_normal(seed: int, name: str, shape: tuple[int, ...], fan_in: int) -> TensorProto:
    """f32 normal numbers of variance 2 / fan_in (He et al. 2015, equation 10): they keep the variance through relus."""
    values = generator(seed, name).standard_normal(shape, dtype=np.float32)
    values *= np.float32(sqrt(2 / fan_in))
    return numpy_helper.from_array(values, name)


def normal(seed: int, name: str, shape: tuple[int, ...], deviation: float) -> TensorProto:
    """f32 normal numbers of a standard deviation."""
    values = generator(seed, name).standard_normal(shape, dtype=np.float32) * np.float32(deviation)
    return numpy_helper.from_array(values, name)


def bias(seed: int, name: str, shape: tuple[int, ...]) -> TensorProto:
    """f32 normal numbers of standard deviation 0.1."""
    return normal(seed, name, shape, 0.1)


def factor(seed: int, name: str, shape: tuple[int, ...]) -> TensorProto:
    """f32 numbers in [0.5, 1.5), as the factors of trained normalizations are."""
    values = generator(seed, name).uniform(0.5, 1.5, shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def set_batch_norm_statistics(model: ModelProto, inputs: Mapping[str, np.ndarray]) -> None:
    """Scales the mean and variance of each BatchNormalization to what reaches it for `inputs`, in place.

    Seeded as numbers about 0 and 1, they become mean · r and variance · r², r the root mean square of the op's input,
    so that activations stay near 1 through the whole network. (The exact mean and variance of every channel would make
    it chaotic: random networks with such statistics blow up whatever is added by a factor of 1.2 a layer, Yang et al.
    2019, "A mean field theory of batch normalization", and would hide all differences between two ways to quantize.)
    One run of ONNX Runtime finds all: in a copy of the model each BatchNormalization takes its statistics from its
    input and shows r².
    """
    import onnxruntime

    nodes = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    if not nodes:
        return
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        _with_own_statistics(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, dict(inputs)), strict=True))
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in nodes:
        power = np.float32(found[f"{node.output[0]}/power"])
        for name, unit in ((node.input[3], np.sqrt(power)), (node.input[4], power)):
            scaled = numpy_helper.to_array(tensors[name]) * unit
            tensors[name].CopyFrom(numpy_helper.from_array(scaled, name))


def _with_own_statistics(model: ModelProto) -> ModelProto:
    """The model with each BatchNormalization written out; its outputs are the mean squares of their inputs."""
    probe = ModelProto()
    probe.CopyFrom(model)
    graph = probe.graph
    shape = numpy_helper.from_array(np.array([1, -1, 1, 1], np.int64), "channels_first")
    graph.initializer.append(shape)
    # Initializers need not be inputs as well from IR 4 on.
    probe.ir_version = max(probe.ir_version, 4)
    del graph.output[:]
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "BatchNormalization":
            nodes += _written_out(node)
            graph.output.append(onnx.ValueInfoProto(name=f"{node.output[0]}/power"))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return probe


def _written_out(node: NodeProto) -> list[NodeProto]:
    """The op in ops that are the same in opsets 9 to 17; epsilon, which is small, is left out."""
    x, *parameters = node.input
    y = node.output[0]
    steps = [
        *[
            ("Reshape", [name, "channels_first"], part)
            for name, part in zip(parameters, ("scale", "shift", "mean", "variance"), strict=True)
        ],
        ("Mul", [x, x], "squared"),
        ("ReduceMean", ["squared"], "power"),
        ("Sqrt", ["power"], "unit"),
        ("Div", [x, "unit"], "normal"),
        ("Sub", ["normal", "mean"], "centerd"),
        ("Sqrt", ["variance"], "deviation"),
        ("Div", ["centerd", "deviation"], "divided"),
        ("Mul", ["divided", "scale"], "scaled"),
        ("Add", ["scaled", "shift"], ""),
    ]
    inner = {result for _, _, result in steps}
    return [
        helper.make_node(
            kind,
            [f"{y}/{operand}" if operand in inner else operand for operand in operands],
            [f"{y}/{result}" if result else y],
            **({"keepdims": 0} if kind == "ReduceMean" else {}),
        )
        for kind, operands, result in steps
    ]
