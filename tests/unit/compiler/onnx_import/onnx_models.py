"""Small ONNX models for tests, and what the importer and the top interpreter make of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.compiler.onnx_import.importer import import_onnx
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation


def model_of(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str] = ("y",),
    constants: Mapping[str, np.ndarray] | None = None,
    *,
    opset: int = 17,
    ir_version: int = 8,
    bools: Sequence[str] = (),
) -> ModelProto:
    """A model; outputs have no declared shape; inputs and outputs are f32 but for `bools`."""

    def element(name: str) -> int:
        return TensorProto.BOOL if name in bools else TensorProto.FLOAT

    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(n, element(n), list(s)) for n, s in inputs.items()],
        [helper.make_tensor_value_info(name, element(name), None) for name in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def imported(model: ModelProto | str | Path, **options: object) -> tuple[ModuleOp, SmaltiContext]:
    """The model as a verified module, and its context."""
    ctx = make_context()
    module = import_onnx(model, ctx, **options)  # pyright: ignore[reportArgumentType]
    module.verify()
    return module, ctx


def run_imported(
    model: ModelProto | str | Path, inputs: Mapping[str, np.ndarray], **options: object
) -> dict[str, np.ndarray]:
    """The model's outputs by the top interpreter."""
    module, ctx = imported(model, **options)
    return run_top(module, ctx.weights, inputs)


def ops_of(module: ModuleOp) -> list[Operation]:
    """The ops of the module's function that are no weights and no return."""
    ops = [op for op in module.walk() if op.name.startswith("top.")]
    return [op for op in ops if op.name != "top.weight"]


def random_input(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal random f32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def refused(model, *parts, **options):
    """The error that importing `model` gives; its text holds every part."""
    with pytest.raises(DiagnosticError) as caught:
        imported(model, **options)
    text = str(caught.value)
    for part in parts:
        assert part in text, text
    return caught.value


def node(op, inputs, outputs, **attributes):
    return helper.make_node(
        op, inputs.split(), outputs.split(), name=f"{op.lower()}_1", **attributes
    )
