"""Compares what a model declares of its tensors with what they are: element types, ranks and sizes.

Sizes that are not declared, or by a symbol only, allow any size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ....backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from .input_shapes import Dimension, declared_dimensions

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto

_SHOWN_CONTRADICTIONS = 8


@dataclass(frozen=True)
class TensorFacts:
    """The data type and the shape of a tensor, as the importer knows them."""

    dtype: np.dtype
    shape: tuple[int, ...]


def check_declarations(
    graph: GraphProto,
    tensors: Mapping[str, TensorFacts],
    file: str,
    warn: Callable[[Diagnostic], None],
    fed: Collection[str] = (),
) -> None:
    """Compare the declarations of a graph's inputs, outputs and inner tensors with the tensors.

    If the user gave an input another size than the model declares, the sizes of all other tensors may differ from their
    declarations: then only types and ranks are compared. A symbol that stands for two sizes is a warning, since
    exporters give one symbol to dimensions that have nothing to do with each other.

    Args:
        graph: its declarations.
        tensors: what is known of its tensors; those that are missing are not compared.
        file: where diagnostics point.
        warn: called with each warning.
        fed: the inputs that are fed although they are initializers.

    Raises:
        DiagnosticError: if a declaration contradicts its tensor.
    """
    initializers = {tensor.name for tensor in graph.initializer}.difference(fed)
    inputs = [value for value in graph.input if value.name not in initializers]
    changed = any(
        declared != actual
        for value in inputs
        for declared, actual in _sizes(value, tensors)
        if isinstance(declared, int)
    )
    symbols: dict[str, tuple[int, str]] = {}
    warned: set[str] = set()
    contradictions = []
    for role, value in _declarations(graph, initializers):
        facts = tensors.get(value.name)
        if facts is None:
            continue
        is_input = role == "input"
        if not _agrees(value, facts, compare_sizes=not changed and not is_input):
            contradictions.append((role, value, facts))
            continue
        for name, size in _sizes(value, tensors):
            if not isinstance(name, str) or changed:
                continue
            if is_input:
                symbols.setdefault(name, (size, value.name))
            if name in symbols and symbols[name][0] != size and name not in warned:
                warned.add(name)
                warn(_symbol_warning(name, symbols[name], f"{role} '{value.name}'", size, file))
    if contradictions:
        raise _error(contradictions, file)


def _declarations(
    graph: GraphProto, initializers: set[str]
) -> Iterator[tuple[str, ValueInfoProto]]:
    """Yield each declaration with what it is of; inputs come first, since they settle the symbols."""
    for value in graph.input:
        yield ("initializer" if value.name in initializers else "input"), value
    for value in graph.output:
        yield "output", value
    for value in graph.value_info:
        yield "tensor", value


def _sizes(
    value: ValueInfoProto, tensors: Mapping[str, TensorFacts]
) -> list[tuple[Dimension, int]]:
    """Return each declared dimension of a tensor with its size; none where the rank is unknown or contradicted."""
    declared = declared_dimensions(value)
    facts = tensors.get(value.name)
    if declared is None or facts is None or len(declared) != len(facts.shape):
        return []
    return list(zip(declared, facts.shape, strict=True))


def _agrees(value: ValueInfoProto, facts: TensorFacts, *, compare_sizes: bool) -> bool:
    kind = value.type.WhichOneof("value")
    if kind is None:
        return True
    if kind != "tensor_type":
        return False
    actual = _element_type(facts.dtype)
    if actual and value.type.tensor_type.elem_type not in (0, actual):
        return False
    declared = declared_dimensions(value)
    if declared is None:
        return True
    return len(declared) == len(facts.shape) and not (
        compare_sizes
        and any(
            isinstance(size, int) and size != actual
            for size, actual in zip(declared, facts.shape, strict=True)
        )
    )


def _element_type(dtype: np.dtype) -> int:
    """Return ONNX's number of a data type; 0 (undefined) for one that ONNX does not have."""
    from onnx.helper import np_dtype_to_tensor_dtype

    try:
        return np_dtype_to_tensor_dtype(dtype)
    except (KeyError, ValueError):
        return 0


def _error(
    contradictions: Sequence[tuple[str, ValueInfoProto, TensorFacts]], file: str
) -> DiagnosticError:
    lines = [
        f"is declared as {_declared_text(value)}, but is {_facts_text(facts)}"
        for _, value, facts in contradictions
    ]
    names = [f"{role} '{value.name}'" for role, value, _ in contradictions]
    more = [f"{name} {line}" for name, line in zip(names, lines, strict=True)][1:]
    notes = more[: _SHOWN_CONTRADICTIONS - 1]
    if len(more) > len(notes):
        notes.append(f"and {len(more) - len(notes)} more")
    return DiagnosticError(
        f"it {lines[0]}",
        Place(file=file, name=names[0]),
        notes,
        "export the model again, or correct the declaration in the file; "
        "onnx.checker.check_model(model, full_check=True) finds it too",
    )


def _symbol_warning(
    symbol: str, first: tuple[int, str], other: str, size: int, file: str
) -> Diagnostic:
    return Diagnostic(
        "warning",
        f"the symbolic dimension '{symbol}' is {first[0]} in input '{first[1]}', but {size} in {other}",
        Place(file=file),
        hint="give the inputs sizes that agree, or ignore this if the exporter named unrelated dimensions alike",
    )


def _declared_text(value: ValueInfoProto) -> str:
    from onnx import TensorProto

    kind = value.type.WhichOneof("value") or "nothing"
    if kind != "tensor_type":
        return f"a {kind.removesuffix('_type')}"
    number, names = value.type.tensor_type.elem_type, TensorProto.DataType
    element = names.Name(number) if number in names.values() else f"type {number}"
    declared = declared_dimensions(value)
    if declared is None:
        return element
    return f"{element} [{', '.join('?' if each is None else str(each) for each in declared)}]"


def _facts_text(facts: TensorFacts) -> str:
    from onnx import TensorProto

    number = _element_type(facts.dtype)
    name = TensorProto.DataType.Name(number) if number else str(facts.dtype)
    return f"{name} {list(facts.shape)}"
