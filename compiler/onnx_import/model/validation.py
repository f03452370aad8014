"""Validates a model before it is imported: inlines functions, checks opsets, and runs onnx's checker."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .checker import Faults, faults_of
from .limits import ImportLimits
from .local_functions import inline_functions
from .node_order import in_topological_order
from .op_name import is_default_domain

if TYPE_CHECKING:
    from onnx import ModelProto


def validate(
    model: ModelProto, file: str, limits: ImportLimits, whole: Container[str] = ()
) -> tuple[ModelProto, int, Faults]:
    """Return the model with its local functions inlined (except those that `whole` names) and its nodes in order, the
    version of the default operator set, and what the checker says of its nodes and constants.

    Ops that ONNX does not know are let through: the importer reports them together with the unsupported ones.

    Raises:
        DiagnosticError: if the checker of the onnx package rejects more of the model than nodes and constants, its
            functions would be larger than `limits` allow once inlined, or an operator set is missing or newer than the
            installed package.
    """
    _check_texts(model, file)
    model = in_topological_order(inline_functions(model, file, limits, whole))
    opset = _default_opset(model, file)
    return model, opset, faults_of(model, opset, file)


def _check_texts(model: ModelProto, file: str) -> None:
    """Raise DiagnosticError if a name is not UTF-8: protobuf then returns bytes, which no other code expects."""
    if not all(isinstance(text, str) for text in _texts(model)):
        raise DiagnosticError(
            "a name in the model is not UTF-8 text: the file is damaged",
            Place(file=file),
            hint="export or download the model again",
        )


def _texts(model: ModelProto) -> Iterator[object]:
    graph = model.graph
    yield graph.name
    yield from (entry.domain for entry in model.opset_import)
    for function in model.functions:
        yield from (function.name, function.domain, *function.input, *function.output)
    for node in (*graph.node, *(node for function in model.functions for node in function.node)):
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    for tensor in graph.initializer:
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))
    for value in (*graph.input, *graph.output):
        yield value.name
        yield from (dimension.dim_param for dimension in value.type.tensor_type.shape.dim)


def _default_opset(model: ModelProto, file: str) -> int:
    import onnx

    version = _versions(model, file).get("", 0)
    newest = onnx.defs.onnx_opset_version()
    if model.ir_version > onnx.IR_VERSION:
        raise DiagnosticError(
            f"the model is of IR version {model.ir_version}; the installed onnx package knows up to {onnx.IR_VERSION}",
            Place(file=file),
            hint="install a newer onnx package, or export the model with an older IR version",
        )
    if version > newest:
        raise DiagnosticError(
            f"the model uses opset {version}; the installed onnx package knows up to {newest}",
            Place(file=file),
            hint="install a newer onnx package, or export the model with an older opset",
        )
    if version < 1 and any(is_default_domain(node) for node in model.graph.node):
        raise DiagnosticError(
            "the model does not say which version of ONNX's operator set it uses",
            Place(file=file),
            hint="add an opset_import for the default domain",
        )
    return max(version, 1)


def _versions(model: ModelProto, file: str) -> dict[str, int]:
    """Return the version of each operator set, ONNX's own under "". Raises DiagnosticError if a model names two."""
    versions: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        if versions.setdefault(domain, entry.version) != entry.version:
            shown = domain or "ai.onnx"
            raise DiagnosticError(
                f"the model uses two versions of the operator set {shown}: {versions[domain]} and {entry.version}",
                Place(file=file),
                hint="leave one opset_import for each domain",
            )
    return versions
