"""Collects the nodes and constants of an exported graph, with the names of the ops that they stem from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.storage import dtype_of, name_of
from ...dialects.ir.location import names_of, place_of
from ...dialects.network.tensor_op import TensorOp
from ...dialects.quant.element_type import element_storage, shape_of
from .initializer import Initializer
from .schema import COMMON_OPSET, LEAST_OPSET, element_name, element_type, needed_opset

Operand: TypeAlias = "SSAValue | str | None"
"""An operand of a node: a value of the module, a tensor by its name in the graph, or none."""

_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class GraphWriter:
    """Appends nodes to a graph, op after op: `enter`, then `node` and `constant` for what one op becomes, and `finish`
    with the tensor that is the op's result.

    Args:
        ports: the names of inputs and outputs, which no other tensor may have.
        results: the names of the results of ops, which tensors between them may not have.
    """

    def __init__(self, ports: Iterable[str], results: Iterable[str]):
        self._ports = set(ports)
        self.nodes: list[NodeProto] = []
        self.initializers: list[Initializer] = []
        self.values: list[ValueInfoProto] = []
        """The types of the results of ops."""
        self.opsets: dict[str, int] = {"": LEAST_OPSET}
        """The version of each domain that the nodes need."""
        self.shared: dict[object, list[str]] = {}
        """Results of nodes that several ops may have in common, by what they compute."""
        self._names = {*self._ports, *results}
        self._node_names: set[str] = set()
        self._tensors: dict[SSAValue, str] = {}
        self._elements: dict[str, int] = {}
        self._makers: dict[str, NodeProto] = {}
        self._op: TensorOp | None = None
        self._first = 0

    def bind(self, value: SSAValue, name: str) -> None:
        """Call the tensor of a value `name`."""
        self._tensors[value] = name
        self._elements[name] = element_type(element_storage(value.type))

    def unique(self, name: str) -> str:
        """Return `name`, or a free variant if another tensor has it."""
        free, number = name, 0
        while free in self._names:
            number += 1
            free = f"{name}_{number}"
        self._names.add(free)
        return free

    def bind_result(self, value: SSAValue, name: str) -> str:
        """Call the tensor of an op's result `name`, or a variant if that is the name of an input or output; a name that
        it has already stays. Return its name.
        """
        if value not in self._tensors:
            self.bind(value, self.unique(name) if name in self._ports else name)
        return self._tensors[value]

    def alias(self, value: SSAValue, name: str) -> None:
        """Have a tensor called `name` that equals a value, by a node if the value's is not called so."""
        tensor = self._tensors[value]
        if tensor != name:
            node = helper.make_node("Identity", [tensor], [name], self._node_name(name))
            self.nodes.append(node)

    def enter(self, op: TensorOp) -> None:
        """Let the nodes that are made from now on belong to `op`."""
        self._op = op
        self._first = len(self.nodes)

    def finish(self, tensor: str) -> None:
        """Let a tensor be the result of the op, whose name it gets; the node that makes it gets that of the op's
        location.
        """
        assert self._op is not None
        value = self._op.output
        if tensor not in self._makers:
            tensor = self.node("Identity", tensor)
        maker = self._makers.pop(tensor)
        name = self.bind_result(value, self._op.result_name.data)
        for node in self.nodes[self._first :]:
            _replace(node.input, tensor, name)
        _replace(maker.output, tensor, name)
        for names in self.shared.values():
            _replace(names, tensor, name)
        label = "+".join(names_of(self._op.location)) or self._op.result_name.data
        own = self.nodes[self._first :]
        for node in own:
            wanted = label if node is maker else f"{label}/{node.op_type}"
            node.name = self._node_name(wanted)
        self.values.append(
            helper.make_tensor_value_info(name, self._elements[name], shape_of(value))
        )

    def tensor(self, operand: SSAValue | str) -> str:
        """Return the name of an operand's tensor."""
        return operand if isinstance(operand, str) else self._tensors[operand]

    def element(self, operand: SSAValue | str) -> int:
        """Return ONNX's number for the elements of an operand."""
        return self._elements[self.tensor(operand)]

    def constant(self, array: np.ndarray, suffix: str) -> str:
        """Append a constant, whose name is that of the op's result and a suffix, and return its name."""
        assert self._op is not None
        name = self.unique(f"{self._op.result_name.data}_{suffix}")
        storage = name_of(array.dtype)
        self.initializers.append(Initializer(name, storage, array.shape, lambda: array))
        self._elements[name] = element_type(storage)
        return name

    def integers(self, values: Sequence[int], suffix: str) -> str:
        """Append a list of i64 and return its name."""
        return self.constant(np.array(values, np.int64), suffix)

    def number(self, value: float, like: SSAValue | str, suffix: str) -> str:
        """Append a constant of rank 0 that has the elements of `like`, and return its name."""
        dtype = helper.tensor_dtype_to_np_dtype(self.element(like))
        return self.constant(np.array(value, dtype_of(name_of(dtype))), suffix)

    def float_number(self, value: float, suffix: str) -> str:
        """Append a constant of rank 0 of f32, and return its name."""
        return self.constant(np.array(value, np.float32), suffix)

    def node(
        self,
        kind: str,
        *inputs: Operand,
        element: int | None = None,
        domain: str = "",
        since: int | None = None,
        **attributes: Any,
    ) -> str:
        """Append a node of one result and return the name of that.

        Args:
            kind: the op.
            inputs: its operands; None for one that is left out.
            element: ONNX's number for the elements of the result; by default those of the first operand.
            domain: the op's domain, "" for ONNX's own.
            since: the version of the domain that the node needs, if its types, operands and attributes do not tell.
            attributes: those of the node; None for one that is left out.

        Raises:
            DiagnosticError: if ONNX's op takes no such operands, in no opset.
        """
        if element is None:
            first = next(each for each in inputs if each is not None)
            element = self.element(first)
        (name,) = self.node_of_several(
            kind, inputs, [element], domain=domain, since=since, **attributes
        )
        return name

    def node_of_several(
        self,
        kind: str,
        inputs: Sequence[Operand],
        elements: list[int],
        *,
        domain: str = "",
        since: int | None = None,
        **attributes: Any,
    ) -> list[str]:
        """Append a node of several results, with these elements, and return their names. `node` says the rest."""
        given = {name: value for name, value in attributes.items() if value is not None}
        names = ["" if each is None else self.tensor(each) for each in inputs]
        if domain:
            self.opsets[domain] = max(self.opsets.get(domain, 1), since or 1)
            return self._append(kind, names, elements, domain, given)
        types = [self._elements[name] if name else None for name in names]
        opset = _opset(kind, types, elements, given, since)
        if opset is None or opset > COMMON_OPSET:
            wide = _opset(kind, _widened(types), _widened(elements), given, since)
            if wide is not None and wide != opset:
                # What ONNX has for wider floats only is computed in f32 and rounded once, as here.
                return self._in_f32(kind, names, elements, since, given)
        if opset is None:
            raise self._refused(kind, types)
        self.opsets[""] = max(self.opsets[""], opset)
        return self._append(kind, names, elements, domain, given)

    def cast(self, operand: SSAValue | str, element: int) -> str:
        """Return the operand with other elements: itself if it has them already."""
        if self.element(operand) == element:
            return self.tensor(operand)
        return self.node("Cast", operand, element=element, to=element)

    def _append(
        self,
        kind: str,
        inputs: Sequence[str],
        elements: Sequence[int],
        domain: str,
        attributes: Mapping[str, Any],
    ) -> list[str]:
        assert self._op is not None
        base = f"{self._op.result_name.data}_{kind}"
        names = [self.unique(base) for _ in elements]
        node = helper.make_node(kind, inputs, names, domain=domain or None)
        for key, value in sorted(attributes.items()):
            node.attribute.append(helper.make_attribute(key, value))
        self.nodes.append(node)
        for name, element in zip(names, elements, strict=True):
            self._elements[name] = element
            self._makers[name] = node
        return names

    def _in_f32(
        self,
        kind: str,
        inputs: Sequence[str],
        elements: Sequence[int],
        since: int | None,
        attributes: Mapping[str, Any],
    ) -> list[str]:
        wide = [
            self.cast(name, TensorProto.FLOAT)
            if name and self._elements[name] in _HALVES
            else name or None
            for name in inputs
        ]
        results = self.node_of_several(kind, wide, _widened(elements), since=since, **attributes)
        return [self.cast(name, each) for name, each in zip(results, elements, strict=True)]

    def _node_name(self, wanted: str) -> str:
        name, number = wanted, 0
        while name in self._node_names:
            number += 1
            name = f"{wanted}_{number}"
        self._node_names.add(name)
        return name

    def _refused(self, kind: str, types: Sequence[int | None]) -> DiagnosticError:
        op = self._op
        assert op is not None
        listed = ", ".join(element_name(each) for each in types if each is not None)
        return DiagnosticError(
            f"{op.name} '{op.result_name.data}' cannot be exported: ONNX's {kind} takes no {listed}",
            place_of(op),
            hint="cast its operands before to a type that ONNX's op takes",
        )


def _opset(
    kind: str,
    inputs: Sequence[int | None],
    outputs: Sequence[int],
    attributes: Mapping[str, Any],
    since: int | None,
) -> int | None:
    least = max(LEAST_OPSET, since or 0)
    return needed_opset(kind, tuple(inputs), tuple(outputs), frozenset(attributes), least)


def _widened(elements: Sequence[Any]) -> list[Any]:
    return [TensorProto.FLOAT if each in _HALVES else each for each in elements]


def _replace(names: Any, old: str, new: str) -> None:
    for index, name in enumerate(names):
        if name == old:
            names[index] = new
