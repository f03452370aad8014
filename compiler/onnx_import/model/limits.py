"""How much work and memory an import may take on the word of a model: each limit has a name, and can be raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from ....backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean


@dataclass(frozen=True)
class ImportLimits:
    """The limits of an import. A few bytes of a model can ask for more than any machine has.

    `inlined_nodes`, `inlined_bytes`: of the graph after its local functions are inlined. `inlining_depth`: of
    functions that call functions. `folded_bytes`: of a constant that a node computes at import.
    `folded_total_bytes`: of all such constants together. `unrolled_nodes`: of what loops and recurrent layers become.
    """

    inlined_nodes: int = 1_000_000
    inlined_bytes: int = 1 << 30
    inlining_depth: int = 128
    folded_bytes: int = 448 * 2**20
    folded_total_bytes: int = 1 << 33
    unrolled_nodes: int = 20_000

    def raised(self, values: Mapping[str, int]) -> ImportLimits:
        """Return the limits with some replaced; their names have dashes, as on the command line.

        Raises DiagnosticError if there is no limit of a name.
        """
        known = limit_names()
        for name in values:
            if name not in known:
                near = did_you_mean(name, known)
                raise DiagnosticError(
                    f"there is no import limit '{name}'",
                    hint=near or f"known are {', '.join(known)}",
                )
        return replace(self, **{name.replace("-", "_"): value for name, value in values.items()})

    def check(self, name: str, value: int, what: str, place: Place) -> None:
        """Raise DiagnosticError, which starts with `what`, if `value` is more than the limit `name` allows."""
        limit = getattr(self, name)
        if value > limit:
            shown = name.replace("_", "-")
            raise DiagnosticError(
                f"{what}, more than the limit of {limit:,} ({shown})",
                place,
                hint=f"raise it with --import-limit {shown}={value}, if the model is to be trusted",
            )


def limit_names() -> list[str]:
    """Return the names of the limits, as the command line has them."""
    return [each.name.replace("_", "-") for each in fields(ImportLimits)]


@dataclass
class FoldingBudget:
    """Counts the bytes of the constants that were computed, and the nodes that loops became, against the limits."""

    limits: ImportLimits
    spent_bytes: int = 0
    unrolled_nodes: int = 0

    def check(self, size_bytes: int, shape: Sequence[int], place: Place) -> None:
        """Raise DiagnosticError if a constant of a shape is too large to be computed, or too much with those before."""
        what = f"the constant result {list(shape)} would take {size_bytes:,} bytes"
        self.limits.check("folded_bytes", size_bytes, what, place)
        total = self.spent_bytes + size_bytes
        what = f"the constants computed at import would take {total:,} bytes with this result {list(shape)}"
        self.limits.check("folded_total_bytes", total, what, place)

    def spend(self, size_bytes: int, shape: Sequence[int], place: Place) -> None:
        """Count a constant that is computed; raise DiagnosticError as `check` does."""
        self.check(size_bytes, shape, place)
        self.spent_bytes += size_bytes

    def check_unrolled(self, nodes: int, what: str, place: Place) -> None:
        """Raise DiagnosticError, which starts with `what`, if a loop would become more nodes than are left."""
        total = self.unrolled_nodes + nodes
        with_others = f", {total:,} with what was unrolled before" if self.unrolled_nodes else ""
        self.limits.check("unrolled_nodes", total, f"{what} {nodes:,} nodes{with_others}", place)

    def unroll(self, nodes: int, what: str, place: Place) -> None:
        """Count nodes that a loop becomes; raise DiagnosticError as `check_unrolled` does."""
        self.check_unrolled(nodes, what, place)
        self.unrolled_nodes += nodes
