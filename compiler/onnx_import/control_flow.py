"""Imports If, Loop and Scan: a branch that is known is taken, and loops whose length is known are unrolled.

Both branches of an If whose condition is computed at run time are imported, and one result is chosen: nodes have no
effects but their results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.storage import dtype_of
from ...dialects import top
from ...dialects.quant.element_type import element_storage
from .graph.builder import GraphBuilder
from .graph.node import BodyFaultError, Node, UnsupportedNodeError
from .graph.value import Constant, Value, dtype_of_value, element_of_onnx, shape_of
from .model.input_shapes import declared_dimensions
from .model.op_name import is_default_domain
from .ops.movement import concat_of, slice_of

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, ValueInfoProto

ImportBody: TypeAlias = "Callable[[GraphProto, Sequence[Value], Node], list[Value]]"
"""Imports a subgraph of a node, given the values of its inputs, and returns those of its outputs."""

_UNBOUNDED = 2**31 - 1
"""A trip count from which on only the condition ends a loop: exporters write the greatest integer for a while loop."""


def is_control_flow(proto: NodeProto) -> bool:
    """Return whether a node chooses or repeats subgraphs."""
    return is_default_domain(proto) and proto.op_type in _KINDS


def import_control_flow(
    node: Node, builder: GraphBuilder, import_body: ImportBody
) -> Sequence[Value | None]:
    """Import a node that `is_control_flow` and return its outputs.

    Raises UnsupportedNodeError if how often a body runs is not known at import, or it runs too often.
    """
    return _KINDS[node.op_type](node, builder, import_body)


def _if(node: Node, builder: GraphBuilder, import_body: ImportBody) -> Sequence[Value | None]:
    condition = node.input(0)
    branches = [node.attribute(name).g for name in ("then_branch", "else_branch")]
    if isinstance(condition, Constant):
        return import_body(branches[0 if bool(condition.array.reshape(())) else 1], [], node)
    chosen, results, refused = [], [], []
    faults: list[DiagnosticError] = []
    for branch in branches:
        try:
            results.append(import_body(branch, [], node))
        except UnsupportedNodeError as error:
            refused.append(str(error))
        except BodyFaultError as error:
            faults += error.faults
            refused += [error.needs] if error.needs else []
    if faults:
        raise BodyFaultError(faults, "; ".join(dict.fromkeys(refused)))
    if refused:
        raise UnsupportedNodeError("; ".join(dict.fromkeys(refused)))
    if any(len(each) != len(node.proto.output) for each in results):
        raise node.error("its branches do not have as many outputs as it has")
    scalar = builder.reshape(condition, (), builder.derived(node.output, "condition"))
    for name, yes, no in zip(node.proto.output, *results, strict=True):
        if shape_of(yes) != shape_of(no):
            raise UnsupportedNodeError(
                f"its condition is computed at run time, and decides between the shapes {list(shape_of(yes))} and "
                f"{list(shape_of(no))}"
            )
        chosen.append(builder.emit(top.SelectOp, name, scalar, yes, no))
    return chosen


def _loop(node: Node, builder: GraphBuilder, import_body: ImportBody) -> Sequence[Value | None]:
    limit, condition, *states = node.inputs
    body = node.attribute("body").g
    if limit is not None and not isinstance(limit, Constant):
        raise UnsupportedNodeError("its trip count is computed at run time")
    most = None if limit is None else max(int(limit.array.reshape(())), 0)
    if most is not None and most < _UNBOUNDED:
        _check_length(node, builder, body, most)
    runs = condition if condition is not None else Constant(np.array(True), f"{node.label}_runs")
    values = [node.given(value, "a state") for value in states]
    scanned: list[list[Value]] = []
    step = 0
    while most is None or step < most:
        if not isinstance(runs, Constant):
            raise UnsupportedNodeError("its condition is computed at run time")
        if not _holds(runs):
            break
        _count_step(node, builder, body)
        number = Constant(np.array(step, np.int64), builder.derived(node.label, f"step{step}"))
        runs, *rest = import_body(body, [number, runs, *values], node)
        values, slices = rest[: len(states)], rest[len(states) :]
        scanned.append(slices)
        step += 1
        if step == 1 and _holds(runs) and not _condition_changes(body):
            _check_length(node, builder, body, (most or _UNBOUNDED) - 1)
    names = node.proto.output[len(states) :]
    if not scanned:
        declared = body.output[1 + len(states) :]
        return [*values, *(_nothing_of(*each) for each in zip(declared, names, strict=True))]
    stacked = [
        _stacked(builder, [slices[index] for slices in scanned], 0, name)
        for index, name in enumerate(names)
    ]
    return [*values, *stacked]


def _nothing_of(declared: ValueInfoProto, name: str) -> Constant:
    """Return a scan output of a loop that never runs, [0, ...]: its body declares type and shape.

    Raises UnsupportedNodeError if it does not.
    """
    tensor, sizes = declared.type.tensor_type, declared_dimensions(declared)
    element = element_of_onnx(tensor.elem_type)
    if element is None or sizes is None or not all(isinstance(size, int) for size in sizes):
        raise UnsupportedNodeError(
            f"its body never runs, and does not declare the shape of its output '{declared.name}'"
        )
    shape = (0, *(size for size in sizes if isinstance(size, int)))
    return Constant(np.zeros(shape, dtype_of(element_storage(element))), name)


def _holds(condition: Value) -> bool:
    """Return whether a condition is known to be true."""
    return isinstance(condition, Constant) and bool(condition.array.reshape(()))


def _condition_changes(body: GraphProto) -> bool:
    """Return whether the condition that a loop's body gives depends on the step or a state.

    If not, one that holds after a step holds after all.
    """
    makers = {output: proto for proto in body.node for output in proto.output}
    changing = {value.name for index, value in enumerate(body.input) if index != 1}
    waiting, seen = [body.output[0].name], set()
    while waiting:
        name = waiting.pop()
        if name in changing:
            return True
        if name in seen or name not in makers:
            continue
        seen.add(name)
        proto = makers[name]
        if any(attribute.HasField("g") for attribute in proto.attribute):
            return True  # its own bodies may read anything
        waiting += proto.input
    return False


def _scan(node: Node, builder: GraphBuilder, import_body: ImportBody) -> Sequence[Value | None]:
    if node.opset < 9:
        return _scan_of_samples(node, builder, import_body)
    count = node.integer("num_scan_inputs", 0)
    values, sequences, outputs = _scan_operands(node, node.inputs, count)
    axes = [
        node.axis(axis, len(shape_of(value)))
        for axis, value in zip(
            node.integers("scan_input_axes") or [0] * count, sequences, strict=True
        )
    ]
    backward = node.integers("scan_input_directions") or [0] * count
    lengths = {shape_of(value)[axis] for value, axis in zip(sequences, axes, strict=True)}
    if len(lengths) != 1:
        raise node.error(f"its scan inputs differ in length: {sorted(lengths)}")
    (length,) = lengths
    _check_runs(length)
    slicers = [
        _Slicer(value, axis, bool(back))
        for value, axis, back in zip(sequences, axes, backward, strict=True)
    ]
    values, scanned = _scanned(node, builder, import_body, values, slicers, length)
    out_axes = node.integers("scan_output_axes") or [0] * outputs
    out_backward = node.integers("scan_output_directions") or [0] * outputs
    stacked: list[Value] = []
    for index, name in enumerate(node.proto.output[len(values) :]):
        parts = [slices[index] for slices in scanned]
        parts = parts[::-1] if out_backward[index] else parts
        axis = node.axis(out_axes[index], len(shape_of(parts[0])) + 1)
        stacked.append(_stacked(builder, parts, axis, name))
    return [*values, *stacked]


def _scan_of_samples(
    node: Node, builder: GraphBuilder, import_body: ImportBody
) -> Sequence[Value | None]:
    """Import Scan of opset 8: axis 0 of all operands are samples, each with a length of its own, axis 1 of the scan
    inputs and outputs their steps. Scan outputs are 0 after the end of a sample.
    """
    count = node.integer("num_scan_inputs", 0)
    values, sequences, _ = _scan_operands(node, node.inputs[1:], count)
    samples, longest = shape_of(sequences[0])[:2]
    lengths = node.integers_of(0, "sequence_lens")
    lengths = [longest] * samples if lengths is None else lengths
    if len(lengths) != samples or not all(0 <= length <= longest for length in lengths):
        raise node.error(
            f"sequence_lens must be {samples} numbers from 0 to {longest}, got {lengths}"
        )
    _check_runs(max(lengths, default=0))
    backward = node.integers("directions") or [0] * count
    last: list[list[Value]] = []
    stacked: list[list[Value]] = []
    for sample, length in enumerate(lengths):
        initial = [_element(node, builder, value, 0, sample) for value in values]
        slicers = [
            _Slicer(_element(node, builder, value, 0, sample), 0, bool(back))
            for value, back in zip(sequences, backward, strict=True)
        ]
        final, scanned = _scanned(node, builder, import_body, initial, slicers, length)
        last.append(final)
        stacked.append(
            [
                _padded(node, builder, [slices[index] for slices in scanned], longest, name)
                for index, name in enumerate(node.proto.output[len(values) :])
            ]
        )
    columns = [*zip(*last, strict=True), *zip(*stacked, strict=True)]
    return [
        _stacked(builder, column, 0, name)
        for column, name in zip(columns, node.proto.output, strict=True)
    ]


def _scan_operands(
    node: Node, inputs: Sequence[Value | None], count: int
) -> tuple[list[Value], list[Value], int]:
    """Return the states, the scan inputs and the number of scan outputs of a Scan."""
    given = [node.given(value, "an input") for value in inputs]
    values, sequences = given[: len(given) - count], given[len(given) - count :]
    outputs = len(node.proto.output) - len(values)
    if not sequences or count > len(given) or outputs < 0:
        raise node.error(f"num_scan_inputs {count} does not fit its {len(given)} inputs")
    return values, sequences, outputs


@dataclass(frozen=True)
class _Slicer:
    """A scan input, the axis of its steps, and whether it is read from the end."""

    value: Value
    axis: int
    backward: bool


def _scanned(
    node: Node,
    builder: GraphBuilder,
    import_body: ImportBody,
    values: list[Value],
    slicers: Sequence[_Slicer],
    length: int,
) -> tuple[list[Value], list[list[Value]]]:
    """Import the body for each step, and return the states after the last step, and the scan outputs of each."""
    body = node.attribute("body").g
    _check_length(node, builder, body, length)
    scanned: list[list[Value]] = []
    for step in range(length):
        _count_step(node, builder, body)
        slices = [
            _element(
                node, builder, each.value, each.axis, length - 1 - step if each.backward else step
            )
            for each in slicers
        ]
        results = import_body(body, [*values, *slices], node)
        values = results[: len(values)]
        scanned.append(results[len(values) :])
    return values, scanned


def _check_runs(length: int) -> None:
    """Raise UnsupportedNodeError if a body never runs."""
    if length == 0:
        raise UnsupportedNodeError(
            "its body never runs, and nothing tells the shape of its results"
        )


def _padded(
    node: Node, builder: GraphBuilder, parts: Sequence[Value], length: int, name: str
) -> Value:
    """Join what a scan output is in each step of a sample, and zeros up to `length`."""
    if not parts:
        raise UnsupportedNodeError("a sample has length 0, and nothing tells what its outputs are")
    own = builder.derived(name, "sample")
    missing = length - len(parts)
    if not missing:
        return _stacked(builder, parts, 0, own)
    zeros = Constant(np.zeros(shape_of(parts[0]), dtype_of_value(parts[0])), f"{own}_zeros")
    return _stacked(builder, [*parts, *[zeros] * missing], 0, own)


_KINDS: Mapping[str, Callable[[Node, GraphBuilder, ImportBody], Sequence[Value | None]]] = {
    "If": _if,
    "Loop": _loop,
    "Scan": _scan,
}


def _check_length(node: Node, builder: GraphBuilder, body: GraphProto, steps: int) -> None:
    """Raise DiagnosticError if a body would become too many nodes in so many steps."""
    builder.budget.check_unrolled(_size(body) * steps, _becomes(body), node.place)


def _count_step(node: Node, builder: GraphBuilder, body: GraphProto) -> None:
    """Count the nodes of a step; raise DiagnosticError if they are too many with those before. Steps are counted one
    by one, as a condition may end the loop, and bodies may hold loops.
    """
    builder.budget.unroll(_size(body), _becomes(body), node.place)


def _size(body: GraphProto) -> int:
    return max(len(body.node), 1)


def _becomes(body: GraphProto) -> str:
    return f"unrolled, its body of {len(body.node)} nodes would become"


def _element(node: Node, builder: GraphBuilder, value: Value, axis: int, index: int) -> Value:
    """Return the part of a value at one place along an axis, without that axis."""
    shape = shape_of(value)
    rest = (*shape[:axis], *shape[axis + 1 :])
    name = builder.derived(node.label, f"element{index}")
    if isinstance(value, Constant):
        return Constant(np.take(value.array, index, axis), name)
    starts, sizes = [0] * len(shape), list(shape)
    starts[axis], sizes[axis] = index, 1
    part = slice_of(builder, value, starts, sizes, [1] * len(shape), name)
    return builder.reshape(part, rest, builder.derived(name, "flat"))


def _stacked(builder: GraphBuilder, parts: Sequence[Value], axis: int, name: str) -> Value:
    """Join values along a new axis."""
    if all(isinstance(part, Constant) for part in parts):
        arrays = [part.array for part in parts if isinstance(part, Constant)]
        return Constant(np.stack(arrays, axis), name)
    shape = shape_of(parts[0])
    wide = (*shape[:axis], 1, *shape[axis:])
    rows = [builder.reshape(part, wide, builder.derived(name, "row")) for part in parts]
    return concat_of(builder, rows, axis, name)
