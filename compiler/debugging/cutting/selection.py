"""Chooses ops of IR of any level: by results, by a span of results, or by an ONNX node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....dialects.ir.location import names_of


@dataclass(frozen=True)
class Selection:
    """A choice of ops: those with the result names `ops`, or all from the first to the second name of `span` in
    program order, or those that stem from the ONNX node `node`. Exactly one of the three is given.
    """

    ops: tuple[str, ...] = ()
    span: tuple[str, str] | None = None
    node: str | None = None

    def of(
        self, ops: Sequence[Operation], names: Sequence[str], order: Sequence[int] | None = None
    ) -> list[int]:
        """Return the numbers of the chosen ones among `ops`, whose result names are `names`.

        `order` has the numbers in the order in which ops run, if that is another. Raises DiagnosticError if no op has
        one of the chosen names.
        """
        if self.node is not None:
            chosen = [i for i, op in enumerate(ops) if self.node in names_of(op.location)]
            if not chosen:
                nodes = dict.fromkeys(node for op in ops for node in names_of(op.location))
                raise DiagnosticError(
                    f"no op stems from the node '{self.node}'", hint=_near(self.node, list(nodes))
                )
            return chosen
        for name in self.span or self.ops:
            if name not in names:
                raise DiagnosticError(f"no op makes '{name}'", hint=_near(name, names))
        run = names if order is None else [names[number] for number in order]
        chosen_names = set(self.ops if self.span is None else _between(*self.span, run))
        return [i for i, name in enumerate(names) if name in chosen_names]


def _between(first: str, last: str, names: Sequence[str]) -> list[str]:
    """Return the results from `first` to `last` in the order in which they are complete.

    Steps of several layers may be interleaved.
    """
    order = list(dict.fromkeys(reversed(names)))[::-1]
    low, high = order.index(first), order.index(last)
    if low > high:
        raise DiagnosticError(f"'{first}' is made after '{last}'", hint="give the first op first")
    return order[low : high + 1]


def _near(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, dict.fromkeys(known), n=3, cutoff=0.3)
    return f"did you mean {' or '.join(near)}?" if near else "give the name of an op of the IR"
