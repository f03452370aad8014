"""Validates a model before it is imported: inlines functions, checks opsets, and runs onnx's checker without
weights.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .limits import ImportLimits
from .local_functions import inline_functions
from .node_order import in_topological_order
from .op_name import is_default_domain

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_LARGE_TENSOR_BYTES = 4096
_UNREGISTERED = "smalti.unregistered"
"""The domain that nodes of unknown ops get while the checker runs, which ignores domains that are not ONNX's own.
"""


def validate(
    model: ModelProto, file: str, limits: ImportLimits, whole: Container[str] = ()
) -> tuple[ModelProto, int]:
    """Return the model with its local functions inlined (except those that `whole` names) and its nodes in order, and
    the version of the default operator set.

    Ops that ONNX does not know are let through: the importer reports them together with the unsupported ones.

    Raises:
        DiagnosticError: if the checker of the onnx package rejects the model, its functions would be larger than
            `limits` allow once inlined, or an operator set is missing or newer than the installed package.
    """
    _check_texts(model, file)
    model = in_topological_order(inline_functions(model, file, limits, whole))
    opset = _default_opset(model, file)
    _check(model, opset, file)
    return model, opset


def is_registered(node: NodeProto, opset: int) -> bool:
    """Return whether the onnx package knows the node's op in version `opset` of its operator set."""
    import onnx

    return is_default_domain(node) and onnx.defs.has(node.op_type, opset, "")


def _is_only_deprecated(node: NodeProto, opset: int) -> bool:
    """Return whether an op was deprecated by the very version that defined it, as GroupNormalization 18 was later: the
    checker refuses all of its nodes, which are valid in opsets 18 to 20 nevertheless.
    """
    import onnx

    schema = onnx.defs.get_schema(node.op_type, opset, "")
    return schema.deprecated and not onnx.defs.has(node.op_type, schema.since_version - 1, "")


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


def _check(model: ModelProto, opset: int, file: str) -> None:
    import onnx

    view = _checker_view(model, opset)
    try:
        onnx.checker.check_model(view)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, UnicodeError) as error:
        raise DiagnosticError(
            f"the model is not valid ONNX: {_first_line(error)}",
            Place(file=file),
            [line for line in str(error).splitlines()[1:] if line.strip()][:6],
            "export the model again, or correct it until onnx.checker accepts it",
        ) from error


def _checker_view(model: ModelProto, opset: int) -> ModelProto:
    """Return a copy for the checker in which big initializers are graph inputs of their type.

    The checker gets the model as one serialized message. With the weights in it, the message would be copied twice, and
    external data would be looked up relative to the working directory.
    """
    import onnx

    view = onnx.ModelProto()
    # Since IR version 4 initializers need not be inputs as well; the checker must not demand it of
    # older models.
    view.ir_version = max(model.ir_version, 4)
    view.opset_import.extend(model.opset_import)
    view.opset_import.add(domain=_UNREGISTERED, version=1)
    graph, source = view.graph, model.graph
    graph.name = source.name or "graph"
    graph.node.extend(source.node)
    for node in graph.node:
        if not is_registered(node, opset) or _is_only_deprecated(node, opset):
            node.domain = _UNREGISTERED
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    for value in (*graph.input, *graph.output):
        # The checker demands a shape, but none is needed: shapes are inferred here, and in ONNX
        # Runtime too.
        if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
            value.type.tensor_type.shape.SetInParent()
    inputs = {value.name for value in source.input}
    for sparse in source.sparse_initializer:
        tensor = sparse.values
        if tensor.name not in inputs:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(sparse.dims))
            )
    for tensor in source.initializer:
        if not _is_large(tensor):
            graph.initializer.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return view


def _is_large(tensor: TensorProto) -> bool:
    import onnx

    external = tensor.data_location == onnx.TensorProto.EXTERNAL
    return external or tensor.ByteSize() > _LARGE_TENSOR_BYTES


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
