"""By which scheme each layer of a network computes, and the qtable, which says so as text.

    # layer            scheme
    /features/*        int8
    /features/0/Conv   f16
    logits             F32

A row names the result of a layer, or several by a glob; later rows win over earlier ones, and all over the scheme of
the network. The tables of TPU-MLIR have the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.ir import Operation, SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError, did_you_mean
from ....dialects import top
from ...table_text import TERMINALS, TableText, read_table_text, tokens_of
from .network_ends import network_ends
from .schemes import SCHEMES, Scheme, scheme_named

if TYPE_CHECKING:
    from lark import Token

_GRAMMAR = (
    r"""
start: _LINE* (row _LINE+)*
row: NAME SCHEME
SCHEME: /[^\s"#]\S*/
"""
    + TERMINALS
)
_HINT = "a row is NAME SCHEME, such as: /features/* f16"
_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class SchemeRow:
    """A row: the layers of the name or glob `pattern` compute by `scheme`."""

    pattern: str
    scheme: Scheme
    token: Token


@dataclass(frozen=True)
class Qtable:
    """The rows of a qtable, in order, and its text for what is told of them."""

    rows: Sequence[SchemeRow]
    text: TableText

    @property
    def all_schemes(self) -> frozenset[Scheme]:
        """The schemes of all rows."""
        return frozenset(row.scheme for row in self.rows)

    def schemes(self, names: Collection[str]) -> dict[str, Scheme]:
        """Return the schemes of those of `names`, the layers of a network, that the table is about.

        Raises DiagnosticError for a row that is about none.
        """
        found: dict[str, Scheme] = {}
        for row in self.rows:
            meant = [row.pattern] if row.pattern in names else _matching(row.pattern, names)
            if not meant:
                raise self.text.error(
                    row.token,
                    f"no layer is called '{row.pattern}'",
                    did_you_mean(row.pattern, names)
                    or "layers are called as their results are; smalti compile --emit top shows them",
                )
            found.update(dict.fromkeys(meant, row.scheme))
        return found


def schemes_of_layers(
    ops: Iterable[Operation],
    network: Scheme,
    given: Callable[[Collection[str]], Mapping[str, Scheme]],
) -> dict[SSAValue, Scheme]:
    """Return the schemes of the results of layers, in order: those that are `given` for some of their names, else what
    the scheme of the network says.
    """
    layers: dict[str, SSAValue] = {
        op.result_name.data: op.output
        for op in ops
        if isinstance(op, top.TopOp) and not isinstance(op, top.WeightOp)
    }
    found = dict.fromkeys(layers.values(), network)
    if network.ends is not None:
        found |= dict.fromkeys(network_ends([*found]), scheme_named(network.ends))
    return found | {layers[name]: scheme for name, scheme in given(layers).items()}


def schemes_in_qtable(path: str | None, layers: Collection[str]) -> dict[str, Scheme]:
    """Return the schemes that a qtable gives layers, by their names; none without a path.

    Raises DiagnosticError if the file is no qtable, or for a row that is about no layer.
    """
    return read_qtable(path).schemes(layers) if path else {}


def read_qtable(path: str | Path) -> Qtable:
    """Return a qtable. Raises DiagnosticError if there is no such file, or if it is no qtable."""
    hint = "give a text file with NAME SCHEME in each line"
    return parse_qtable(read_table_text(path, "the qtable", hint), str(path))


def parse_qtable(text: str, file: str) -> Qtable:
    """Return the qtable that a text describes. Raises DiagnosticError, with a line of `file`, for what is wrong."""
    words = {"NAME": "the name of a layer", "SCHEME": f"a scheme ({', '.join(SCHEMES)})"}
    table = TableText(text, file, _GRAMMAR, words, _HINT)
    rows: list[SchemeRow] = []
    for child in table.tree.children:
        name, scheme = tokens_of(child)  # pyright: ignore[reportArgumentType]
        try:
            chosen = scheme_named(scheme)
        except DiagnosticError as error:
            raise table.error(scheme, error.message, error.hint) from None
        rows.append(SchemeRow(table.name(name), chosen, name))
    return Qtable(rows, table)


def _matching(pattern: str, names: Collection[str]) -> list[str]:
    if not _GLOB & set(pattern):
        return []
    return [name for name in names if fnmatchcase(name, pattern)]
