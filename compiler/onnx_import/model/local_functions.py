"""Inlines the local functions of a model, once it is known how large the graph becomes by that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .function_defaults import FunctionKey, function_key, with_defaults
from .function_forms import (
    known_types,
    names_of_tensors,
    needs_types,
    set_conversions_apart,
    with_one_opset,
    with_own_outputs,
)
from .limits import ImportLimits
from .op_name import op_name
from .subgraphs import subgraphs

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto


_INLINED_LEVELS = 64
"""How many functions that call each other are inlined at once: onnx refuses more than 100."""


class _Size(NamedTuple):
    """What a call becomes: nodes, their bytes, and how deep calls are nested."""

    nodes: int
    size_bytes: int
    depth: int


def inline_functions(
    model: ModelProto, file: str, limits: ImportLimits, whole: Container[str] = ()
) -> ModelProto:
    """Return the model with its local functions inlined, except those that `whole` names with their domain.

    Attributes that a call leaves out have the defaults that the function gives, in calls of those too.

    Raises:
        DiagnosticError: the graph would become larger, or calls are nested deeper, than the limits
            allow; functions call themselves; or they cannot be inlined.
    """
    given, model = model, with_defaults(model)
    inlined = [each for each in model.functions if op_name(each.domain, each.name) not in whole]
    if not model.functions:
        return model
    import onnx

    if model is given:
        model = onnx.ModelProto()
        model.CopyFrom(given)
    if len(inlined) < len(model.functions):
        del model.functions[:]
        model.functions.extend(inlined)
    if not model.functions:
        return model
    with_own_outputs(model)
    _check_names(model, file)
    _check_size(model, file, limits)
    with_one_opset(model)
    try:
        return _inlined(model, file)
    except Exception as error:  # the C++ inliner raises plain RuntimeErrors and its own types
        line = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "inline them with onnx.inliner and check the result with onnx.checker"
        if "Type unknown for" in line:
            hint = (
                "a function has another opset than the model, and its arguments have no known types: declare these in "
                "value_info, or give model and functions one opset"
            )
        raise DiagnosticError(
            f"the model's local functions cannot be inlined: {line}", Place(file=file), hint=hint
        ) from error


def _inlined(model: ModelProto, file: str) -> ModelProto:
    """Return the model with its functions inlined; it declares the types of no more tensors than before.

    Callers are inlined before the functions that they call, some levels at once. If a function has another opset than
    the model, each level is inlined by itself: then the types of what a call reads are those of tensors of the graph.
    """
    import onnx.inliner

    levels = _levels(model, file)
    if not needs_types(model):
        for start in range(0, len(levels), _INLINED_LEVELS):
            level = [each for some in levels[start : start + _INLINED_LEVELS] for each in some]
            del model.functions[:]
            model.functions.extend(level)
            model = onnx.inliner.inline_local_functions(model, convert_version=True)
        del model.functions[:]
        return model
    names = names_of_tensors(model.graph)
    declared = list(model.graph.value_info)
    for index, level in enumerate(levels):
        left = [each for later in levels[index:] for each in later]
        del model.functions[:]
        model.functions.extend(left)
        types = known_types(model)
        del model.graph.value_info[:]
        model.graph.value_info.extend(types)
        del model.functions[len(level) :]
        model = onnx.inliner.inline_local_functions(model, convert_version=True)
        set_conversions_apart(model.graph, names)
    del model.graph.value_info[:]
    model.graph.value_info.extend(declared)
    return model


def _levels(model: ModelProto, file: str) -> list[list[FunctionProto]]:
    """Return the functions that are called, by how deep: none calls one of its own level or of one before it."""
    depths: dict[FunctionKey, int] = dict.fromkeys(_calls(model.graph.node), 0)
    levels: list[list[FunctionProto]] = []
    for key, function in reversed(list(_callees_first(model, file))):
        depth = depths.get(key)
        if depth is None:
            continue
        for callee in _calls(function.node):
            depths[callee] = max(depths.get(callee, 0), depth + 1)
        while len(levels) <= depth:
            levels.append([])
        levels[depth].append(function)
    return levels


def _check_names(model: ModelProto, file: str) -> None:
    """Raise DiagnosticError if a function is defined twice: onnx refuses that only where it inlines both at once."""
    for (domain, name, *_), count in Counter(map(function_key, model.functions)).items():
        if count > 1:
            raise DiagnosticError(
                f"function '{op_name(domain, name)}' is defined {count} times",
                Place(file=file),
                hint="keep one of them",
            )


def _check_size(model: ModelProto, file: str, limits: ImportLimits) -> None:
    place = Place(file=file)
    sizes: dict[FunctionKey, _Size] = {}
    for key, function in _callees_first(model, file):
        sizes[key] = _size_of(function.node, sizes)
    whole = _size_of(model.graph.node, sizes)
    depth = whole.depth - 1
    limits.check("inlining_depth", depth, f"functions call functions {depth:,} deep", place)
    what = f"the graph has {whole.nodes:,} nodes once functions are inlined"
    limits.check("inlined_nodes", whole.nodes, what, place)
    what = f"the graph has {whole.size_bytes:,} bytes once functions are inlined"
    limits.check("inlined_bytes", whole.size_bytes, what, place)


def _size_of(nodes: Iterable[NodeProto], sizes: dict[FunctionKey, _Size]) -> _Size:
    count = size_bytes = depth = 0
    for node in nodes:
        callee = sizes.get(function_key(node))
        inner = [_size_of(graph.node, sizes) for graph in subgraphs(node)]
        if callee is None:
            count += 1
            # The nodes of its subgraphs are counted twice, which does no harm.
            size_bytes += node.ByteSize()
        else:
            inner.append(callee)
        count += sum(each.nodes for each in inner)
        size_bytes += sum(each.size_bytes for each in inner)
        depth = max([depth, *(each.depth for each in inner)])
    return _Size(count, size_bytes, depth + 1)


def _calls(nodes: Iterable[NodeProto]) -> Iterator[FunctionKey]:
    for node in nodes:
        yield function_key(node)
        for graph in subgraphs(node):
            yield from _calls(graph.node)


def _callees_first(model: ModelProto, file: str) -> Iterator[tuple[FunctionKey, FunctionProto]]:
    """Yield the functions, each after those that it calls; DiagnosticError where they call themselves."""
    functions = {function_key(each): each for each in model.functions}
    calls = {
        key: {each for each in _calls(function.node) if each in functions}
        for key, function in functions.items()
    }
    callers: dict[FunctionKey, list[FunctionKey]] = {key: [] for key in functions}
    for key, callees in calls.items():
        for callee in callees:
            callers[callee].append(key)
    missing = Counter({key: len(callees) for key, callees in calls.items()})
    ready = [key for key in functions if not missing[key]]
    done = 0
    while ready:
        key = ready.pop()
        done += 1
        yield key, functions[key]
        for caller in callers[key]:
            missing[caller] -= 1
            if not missing[caller]:
                ready.append(caller)
    if done < len(functions):
        names = ", ".join(sorted(f"'{key[1]}'" for key in functions if missing[key])[:4])
        raise DiagnosticError(
            f"functions of the model call themselves: {names}",
            Place(file=file),
            hint="ONNX has no recursion: export the model again",
        )
