"""What can be wrong with attributes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import onnx.helper as oh
from onnx import TensorProto, numpy_helper

from .building import Bad, integers, model_of, node


def attributes() -> Iterator[Bad]:
    """Attributes that are missing, of another type, twice there, unknown, or of values that the op does not have."""
    for kind, name, inputs in (
        ("Concat", "axis", ["x", "x"]),
        ("Cast", "to", ["x"]),
        ("MaxPool", "kernel_shape", ["image"]),
        ("AveragePool", "kernel_shape", ["image"]),
        ("LpPool", "kernel_shape", ["image"]),
        ("DepthToSpace", "blocksize", ["image"]),
        ("SpaceToDepth", "blocksize", ["image"]),
        ("LRN", "size", ["image"]),
        ("Einsum", "equation", ["x"]),
        ("RandomUniform", "shape", []),
    ):
        image = [] if "image" not in inputs else [node("Reshape", "x", "shape", out="image")]
        made = oh.make_node(kind, inputs, ["y"], f"the_{kind.lower()}")
        yield f"{kind} without {name}", model_of(*image, made, shape=integers(1, 1, 2, 2))
        for text, value in (("text", "three"), ("tensor", numpy_helper.from_array(integers(1)))):
            wrong = oh.make_node(kind, inputs, ["y"], f"the_{kind.lower()}", **{name: value})
            if kind != "Einsum" or text != "text":
                yield (
                    f"{kind} with a {text} as {name}",
                    model_of(*image, wrong, shape=integers(1, 1, 2, 2)),
                )
    square = {"image": np.ones((1, 2, 4, 4), np.float32), "w": np.ones((2, 2, 3, 3), np.float32)}
    for name, values in {
        "kernel 0": {"kernel_shape": [0, 3]},
        "a kernel of one axis": {"kernel_shape": [3]},
        "another kernel than the weights": {"kernel_shape": [5, 5]},
        "stride 0": {"strides": [0, 1]},
        "stride -1": {"strides": [-1, 1]},
        "three strides": {"strides": [1, 1, 1]},
        "dilation 0": {"dilations": [1, 0]},
        "pads of -9": {"pads": [-9, -9, -9, -9]},
        "three pads": {"pads": [1, 1, 1]},
        "pads of 2^40": {"pads": [2**40] * 4},
        "0 groups": {"group": 0},
        "-1 groups": {"group": -1},
        "3 groups": {"group": 3},
        "2^40 groups": {"group": 2**40},
        "auto_pad MAYBE": {"auto_pad": "MAYBE"},
        "dilation 2^40": {"dilations": [2**40, 1]},
        "an unknown attribute": {"colour": 1},
    }.items():
        weights = {"w": square["w"]}
        first = node("Reshape", "x", "shape", out="image")
        yield (
            f"Conv with {name}",
            model_of(
                first,
                node("Conv", "image", "w", **values),
                x=(1, 32),
                shape=integers(1, 2, 4, 4),
                **weights,
            ),
        )
    for kind, values in (
        ("Softmax", {"axis": 9}),
        ("Softmax", {"axis": -9}),
        ("Concat", {"axis": 5}),
        ("Flatten", {"axis": 7}),
        ("Transpose", {"perm": [0, 0]}),
        ("Transpose", {"perm": [0, 1, 2]}),
        ("Transpose", {"perm": [-1, 0]}),
        ("Cast", {"to": 0}),
        ("Cast", {"to": 99}),
        ("Cast", {"to": TensorProto.STRING}),
        ("LeakyRelu", {"alpha": "steep"}),
        ("LpNormalization", {"axis": 4}),
        ("ArgMax", {"axis": 4}),
        ("Hardmax", {"axis": 4}),
    ):
        yield f"{kind} with {values}", model_of(node(kind, "x", **values))
    made = node("Softmax", "x", axis=1)
    made.attribute.add().CopyFrom(made.attribute[0])
    yield "attribute twice", model_of(made)
    made = node("Softmax", "x", axis=1)
    made.attribute[0].ClearField("type")
    made.attribute[0].ClearField("i")
    yield "attribute without a value", model_of(made)
    made = node("Softmax", "x", axis=1)
    made.attribute[0].ClearField("name")
    yield "attribute without a name", model_of(made)
    made = node("Softmax", "x", axis=1)
    made.attribute[0].type = onnx.AttributeProto.FLOAT
    yield "attribute of a type that it does not hold", model_of(made)
