"""ONNX's backend interface: prepares and runs models as `onnx.backend.base` says, for tools that do not know Smalti.

The device "CPU" is the interpreter of `top`, which computes what the model means. A target's name ("default-8c") or the
path of its file is a device, too: the model is compiled for it, in f32 unless `quantize` says otherwise, and the
program runs on the functional simulator.

    from smalti.compiler import onnx_backend

    onnx_backend.run_model(model, [image], device="default-8c")
    onnx.backend.test.BackendTest(onnx_backend, __name__)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, helper
from onnx.backend.base import Backend, BackendRep, namedtupledict
from onnx.shape_inference import infer_shapes

from ..backends.diagnostics.diagnostic import DiagnosticError
from ..backends.targets.target import Target, load_target
from .model import CompiledModel, ImportedModel, compile_model, import_model

if TYPE_CHECKING:
    from onnx import ValueInfoProto

__all__ = ["PreparedModel", "SmaltiBackend", "is_compatible", "prepare", "run_model", "run_node"]

INTERPRETER = "CPU"
"""The device that is no target: the interpreter of `top` on this machine."""


class PreparedModel(BackendRep):
    """A model that is ready to run, with the names of its inputs and outputs in the model's order."""

    def __init__(
        self, model: ImportedModel | CompiledModel, inputs: Sequence[str], outputs: Sequence[str]
    ) -> None:
        self.model = model
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Run the model once.

        Args:
            inputs: the arrays in the order of the model's inputs, or by name; a model of one input takes the bare
                array. Inputs that have initializers are constants, and not among them, unless `prepare` was given
                their shapes (`input_shapes`).
            kwargs: nothing that Smalti knows; other backends take options here.

        Returns:
            The outputs in the model's order, as a tuple that also takes their names in brackets.

        Raises:
            DiagnosticError: if inputs are missing, unknown or of wrong shapes.
        """
        if isinstance(inputs, dict):
            arrays = {name: np.asarray(value) for name, value in inputs.items()}
        else:
            given = inputs if isinstance(inputs, list | tuple) else [inputs]
            if len(given) > len(self.inputs):
                raise DiagnosticError(
                    f"{len(given)} inputs are given, the model has {len(self.inputs)}",
                    hint=f"its inputs are: {', '.join(self.inputs) or 'none'}",
                )
            arrays = {
                name: np.asarray(value) for name, value in zip(self.inputs, given, strict=False)
            }
        results = self.model.run(arrays)
        return namedtupledict("Outputs", self.outputs)(*(results[name] for name in self.outputs))


class SmaltiBackend(Backend):
    """Smalti as a backend of ONNX."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = INTERPRETER, **kwargs: Any) -> bool:
        """Return whether Smalti can run a model on a device."""
        try:
            cls.prepare(model, device, **kwargs)
        except DiagnosticError:
            return False
        return True

    @classmethod
    def prepare(cls, model: ModelProto, device: str = INTERPRETER, **kwargs: Any) -> PreparedModel:
        """Import a model, and compile it if the device is a target.

        Args:
            model: a model in memory.
            device: "CPU", or the name of a target or the path of its file.
            kwargs: further arguments of `import_model` or `compile_model`, such as `batch` and `quantize`.

        Raises:
            DiagnosticError: if there is no such device, or Smalti cannot import or compile the model.
        """
        constants = {tensor.name for tensor in model.graph.initializer}
        constants.difference_update(kwargs.get("input_shapes") or ())
        inputs = [value.name for value in model.graph.input if value.name not in constants]
        outputs = [value.name for value in model.graph.output]
        if device == INTERPRETER:
            return PreparedModel(import_model(model, **kwargs), inputs, outputs)
        options = {"quantize": "f32", **kwargs}
        return PreparedModel(compile_model(model, target=device, **options), inputs, outputs)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Any,
        device: str = INTERPRETER,
        outputs_info: Sequence[tuple[np.dtype, tuple[int, ...]]] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Run one node, as a model of its own.

        Args:
            node: its inputs that are left out (named "") take no array.
            inputs: the arrays of its other inputs, in order or by name.
            device: as for `prepare`.
            outputs_info: the data type and the shape of each output; None lets ONNX infer them.
            kwargs: `opset_version`, of ONNX's own operators (the newest by default), and those of `prepare`.
        """
        opset = kwargs.pop("opset_version", None)
        names = [name for name in node.input if name]
        if isinstance(inputs, dict):
            inputs = [inputs[name] for name in names]
        arrays = [np.asarray(value) for value in inputs]
        declared = [
            _declared(name, each.dtype, each.shape)
            for name, each in zip(names, arrays, strict=True)
        ]
        if outputs_info is None:
            results = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        else:
            pairs = zip(node.output, outputs_info, strict=True)
            results = [_declared(name, *info) for name, info in pairs if name]
        graph = helper.make_graph([node], node.op_type, declared, results)
        opsets = None if opset is None else [helper.make_opsetid("", opset)]
        model = infer_shapes(helper.make_model(graph, opset_imports=opsets))
        return cls.prepare(model, device, **kwargs).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Return whether a device is "CPU" or a target that can be loaded."""
        if device == INTERPRETER:
            return True
        try:
            target: Target = load_target(device)
        except DiagnosticError:
            return False
        return bool(target.name)


def _declared(name: str, dtype: np.dtype, shape: Sequence[int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape)
    )


is_compatible = SmaltiBackend.is_compatible
prepare = SmaltiBackend.prepare
run_model = SmaltiBackend.run_model
run_node = SmaltiBackend.run_node
supports_device = SmaltiBackend.supports_device
