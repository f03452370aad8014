"""Turns a function of top ops into an ONNX model, op by op."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, ValueInfoProto, helper
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Operation

from ...backends.diagnostics.diagnostic import DiagnosticError, contained
from ...backends.interpreter.samples import main_function
from ...dialects import top
from ...dialects.ir.location import place_of
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.ports import Side, port_names
from ...dialects.quant.element_type import element_storage, shape_of
from ..onnx_import.model.model_file import PROTOBUF_LIMIT_BYTES
from .graph_writer import GraphWriter
from .initializer import Initializer
from .model_file import write_model
from .operator_table import exporter_of
from .schema import element_type

_PRODUCER = "smalti"


class ExportedModel:
    """A model of ONNX whose constants are still where the module has them."""

    def __init__(self, model: ModelProto, initializers: list[Initializer]) -> None:
        self._model = model
        self._initializers = initializers

    def __repr__(self) -> str:
        nodes, constants = self.counts()
        return f"<ExportedModel: {nodes:,} nodes of opset {self.opset}, {constants:,} initializers>"

    @property
    def opset(self) -> int:
        """The version of ONNX's own ops that the model needs."""
        return next(each.version for each in self._model.opset_import if not each.domain)

    def counts(self) -> tuple[int, int]:
        """Return how many nodes and how many initializers the model has."""
        return len(self._model.graph.node), len(self._initializers)

    def proto(self) -> ModelProto:
        """Return the model with its constants. Raises DiagnosticError if they are 2 GiB or more together."""
        size = sum(each.size_bytes for each in self._initializers)
        if size > PROTOBUF_LIMIT_BYTES:
            raise DiagnosticError(
                f"the constants of the model have {size:,} bytes: a ModelProto holds less than 2 GiB",
                hint="write it to a file: a second file beside it takes the constants",
            )
        model = ModelProto()
        model.CopyFrom(self._model)
        model.graph.initializer.extend(each.tensor() for each in self._initializers)
        return model

    def save(self, path: str | Path, *, external_data: bool = False) -> None:
        """Write the model to a file, and its large constants to PATH.data beside it, with `external_data` or where one
        file cannot hold them. Raises DiagnosticError if that is not possible.
        """
        model = ModelProto()
        model.CopyFrom(self._model)
        write_model(Path(path), model, self._initializers, external_data)


def export_onnx(module: ModuleOp, weights: WeightStore) -> ExportedModel:
    """Export the function of a module of top ops, with its weights, as a model of the least opset that has all its ops.

    Inputs, outputs and results keep their names, and nodes have those of the ops' locations.

    Raises:
        DiagnosticError: if an op, or a type, has no counterpart in ONNX.
    """
    function = main_function(module)
    block = function.body.block
    inputs, outputs = port_names(function, "input"), port_names(function, "output")
    _check_ports(function, "input", block.arg_types)
    _check_ports(function, "output", function.function_type.outputs)
    _check_apart(function, inputs, outputs)
    results = [op.result_name.data for op in block.ops if isinstance(op, top.TopOp)]
    graph = GraphWriter({*inputs, *outputs}, results)
    for argument, name in zip(block.args, inputs, strict=True):
        graph.bind(argument, name)
    returned = block.last_op
    assert isinstance(returned, func.ReturnOp)
    _name_results(graph, returned, outputs)
    for op in block.ops:
        if op is not returned:
            _export(op, graph, weights)
    for value, name in zip(returned.operands, outputs, strict=True):
        graph.alias(value, name)
    declared = [
        _declared(name, argument.type) for name, argument in zip(inputs, block.args, strict=True)
    ]
    made = [
        _declared(name, value.type) for name, value in zip(outputs, returned.operands, strict=True)
    ]
    return _model(function.sym_name.data, graph, declared, made)


def _name_results(graph: GraphWriter, returned: func.ReturnOp, outputs: list[str]) -> None:
    """Let ops whose results the function returns under their own names make the outputs themselves."""
    for value, name in zip(returned.operands, outputs, strict=True):
        op = value.owner
        if isinstance(op, top.TopOp) and op.result_name.data == name:
            graph.bind(value, name)


def _export(op: Operation, graph: GraphWriter, weights: WeightStore) -> None:
    if isinstance(op, top.WeightOp):
        name = graph.bind_result(op.output, op.result_name.data)
        storage = element_storage(op.output.type)
        load = _Loading(op, weights)
        graph.initializers.append(Initializer(name, storage, shape_of(op.output), load))
        return
    exporter = exporter_of(op)
    if exporter is None or not isinstance(op, top.TopOp):
        raise DiagnosticError(
            f"there is no exporter of {op.name}",
            place_of(op),
            hint=f"say how in a plugin: Plugin(exporters={{{type(op).__name__}: export}})"
            if isinstance(op, top.TopOp)
            else "export IR of level top",
        )
    graph.enter(op)
    with contained(f"in the exporter of {op.name} '{op.result_name.data}'"):
        graph.finish(exporter(op, graph))


class _Loading:
    """Reads the value of a weight when it is called."""

    def __init__(self, op: top.WeightOp, weights: WeightStore) -> None:
        self._op = op
        self._weights = weights

    def __call__(self) -> np.ndarray:
        return value_of(self._op, self._weights)


def _check_ports(function: func.FuncOp, side: Side, types: Iterable[Attribute]) -> None:
    """Raise DiagnosticError unless all inputs or outputs are tensors; quantized ones are their integers."""
    for name, type in zip(port_names(function, side), types, strict=True):
        if not isinstance(type, TensorType):
            raise DiagnosticError(
                f"{side} '{name}' cannot be exported: it is {type}, no tensor of floats, integers or bools",
                place_of(function),
            )


def _check_apart(function: func.FuncOp, inputs: list[str], outputs: list[str]) -> None:
    """Raise DiagnosticError if an output has the name of an input that it is not."""
    block = function.body.block
    assert block.last_op is not None
    for value, name in zip(block.last_op.operands, outputs, strict=True):
        if name in inputs and value is not block.args[inputs.index(name)]:
            raise DiagnosticError(
                f"output '{name}' cannot be exported: an input has its name",
                place_of(function),
                hint="give it another name in 'smalti.outputs'",
            )


def _declared(name: str, type: Attribute) -> ValueInfoProto:
    assert isinstance(type, TensorType)
    element = element_type(element_storage(type))
    return helper.make_tensor_value_info(name, element, type.get_shape())


def _model(
    name: str,
    graph: GraphWriter,
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
) -> ExportedModel:
    ports = {value.name for value in (*inputs, *outputs)}
    values = [value for value in graph.values if value.name not in ports]
    made = GraphProto(name=name, node=graph.nodes, input=inputs, output=outputs, value_info=values)
    opsets = [helper.make_opsetid(domain, version) for domain, version in graph.opsets.items()]
    model = helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets, ignore_unknown=True),
        producer_name=_PRODUCER,
    )
    return ExportedModel(model, graph.initializers)
