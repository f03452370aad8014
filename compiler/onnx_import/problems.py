"""Collects what stands in the way of importing a model, so that one error names all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from ...backends.diagnostics.diagnostic import DiagnosticError, Place

_SHOWN_FAULTS = 20
_NODE = re.compile(r"node '(.*)'", re.DOTALL)


@dataclass(frozen=True)
class Unsupported:
    """A node that cannot be imported: its op (with the domain), the version of its operator set, its name, and the
    reason. A graph's input or output has no version.
    """

    op: str
    node: str
    reason: str
    opset: int | None = None


class RefusedNodesError(DiagnosticError):
    """Nodes of a model cannot be imported, and nothing else is wrong; `nodes` has their names."""

    nodes: frozenset[str] = frozenset()


@dataclass
class Problems:
    """Problems of a model: nodes and tensors that are not supported, nodes and constants that are wrong, inputs without
    a shape, outputs that nothing makes.

    `shape_hint` says how all the shapes can be given at once.
    """

    file: str
    unsupported: list[Unsupported] = field(default_factory=list)
    nodes: list[DiagnosticError] = field(default_factory=list)
    inputs: list[DiagnosticError] = field(default_factory=list)
    constants: list[DiagnosticError] = field(default_factory=list)
    shapes: list[DiagnosticError] = field(default_factory=list)
    outputs: list[DiagnosticError] = field(default_factory=list)
    shape_hint: str | None = None

    def add_common(self, trials: Sequence[Problems]) -> None:
        """Add the problems of nodes that all imports with other shapes have, and this one does not."""
        first, *others = trials
        known = set(map(_fault, self.nodes))
        rejected = {(each.op, each.node) for each in self.unsupported}
        for each in first.unsupported:
            if (each.op, each.node) not in rejected and all(
                each in other.unsupported for other in others
            ):
                self.unsupported.append(each)
        faults = [{_fault(error) for error in other.nodes} for other in others]
        for error in first.nodes:
            fault = _fault(error)
            if fault not in known and all(fault in other for other in faults):
                self.nodes.append(error)

    def report(self) -> None:
        """Raise one error that tells of all problems, if there are any.

        One that is alone is raised as it is. If all are unsupported nodes or tensors, the error has a line for each op
        and reason; else its lines begin with their kind: input, constant, shape, type, op, node
        or output.
        """
        try:
            self._report()
        except DiagnosticError as error:
            refused = self._refused_nodes()
            if refused is None:
                raise
            told = RefusedNodesError(error.message, error.place, error.notes, error.hint)
            told.nodes = refused
            raise told from error.__cause__

    def _report(self) -> None:
        faults = [*self.inputs, *self.constants, *self.shapes, *self.nodes, *self.outputs]
        if not faults and self.unsupported:
            self._report_unsupported()
        if len(faults) == 1 and not self.unsupported:
            raise faults[0]
        if faults:
            self._report_all()

    def _refused_nodes(self) -> frozenset[str] | None:
        """Return the names of the nodes that cannot be imported; None if something else is wrong, too."""
        if self.inputs or self.constants or self.shapes or self.outputs:
            return None
        names = {None if each.opset is None else each.node for each in self.unsupported}
        for error in self.nodes:
            found = _NODE.fullmatch(error.place.name or "") if error.place is not None else None
            names.add(found[1] if found else None)
        return None if None in names else frozenset(name for name in names if name is not None)

    def _report_unsupported(self) -> NoReturn:
        groups = _grouped(self.unsupported)
        count = len({op for op, *_ in groups})
        tensors = all(opset is None for _, _, opset in groups)
        one, many = ("type of input or output", "types") if tensors else ("operator", "operators")
        what = f"1 {one} that is" if count == 1 else f"{count} {many} that are"
        raise DiagnosticError(
            f"the model needs {what} not supported",
            Place(file=self.file),
            [_line(*key, nodes) for key, nodes in groups.items()],
            _advice(self.unsupported),
        )

    def _report_all(self) -> NoReturn:
        rows = [("input", _fault(error)) for error in self.inputs]
        rows += [("constant", _fault(error)) for error in self.constants[:_SHOWN_FAULTS]]
        rows += [("shape", _fault(error)) for error in self.shapes]
        groups = _grouped(self.unsupported)
        for key, nodes in groups.items():
            rows.append(("type" if key[2] is None else "op", _line(*key, nodes)))
        rows += [("node", _fault(error)) for error in self.nodes[:_SHOWN_FAULTS]]
        rows += [("output", _fault(error)) for error in self.outputs]
        width = max(len(kind) for kind, _ in rows)
        notes = [f"{kind:<{width}}  {text}" for kind, text in rows]
        hidden = 0
        for kind, errors in (("constants", self.constants), ("nodes", self.nodes)):
            if (more := len(errors) - _SHOWN_FAULTS) > 0:
                notes.append(f"and {more} more {kind}")
                hidden += more
        raise DiagnosticError(
            f"{len(rows) + hidden} problems stand in the way of importing the model",
            Place(file=self.file),
            notes,
            _together(
                [
                    *(error.hint for error in self.inputs),
                    self.shape_hint or next((error.hint for error in self.shapes), None),
                    _advice(self.unsupported) if groups else None,
                    *(error.hint for error in (*self.constants, *self.nodes)),
                ]
            ),
        )


_Group = tuple[str, str, int | None]
"""What nodes on one line share: op, reason and version."""


def _grouped(unsupported: Iterable[Unsupported]) -> dict[_Group, list[str]]:
    groups: dict[_Group, list[str]] = {}
    for entry in unsupported:
        key = (entry.op, entry.reason, entry.opset)
        groups.setdefault(key, []).append(f"'{entry.node}'")
    return groups


def _line(op: str, reason: str, opset: int | None, nodes: Sequence[str]) -> str:
    version = "" if opset is None else f" (opset {opset})"
    because = f": {reason}" if reason else ""
    return f"{op}{version}, {', '.join(nodes)}{because}"


def _fault(error: DiagnosticError) -> str:
    """Return a fault on one line: the name of its node or input, and what is wrong."""
    place = error.place.name if error.place is not None and error.place.name else ""
    return f"{place}: {error.message}" if place else error.message


def _together(hints: Iterable[str | None]) -> str | None:
    """Return what would help against several problems, each thing once."""
    return "; ".join(dict.fromkeys(hint for hint in hints if hint)) or None


def _advice(unsupported: Iterable[Unsupported]) -> str:
    """Return what to do about ops that nothing imports: a plugin can import those of a domain of their own."""
    listed = "'smalti ops' lists what is supported"
    unknown = {each.op for each in unsupported if each.opset is not None and not each.reason}
    own = sorted(op for op in unknown if "." in op)
    if not own:
        return listed
    return f'{listed}; import {own[0]} in a plugin: Plugin(importers={{"{own[0]}": ...}})'
