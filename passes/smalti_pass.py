"""The base of Smalti's passes: the level that a pass works on, its options, and statistics of what it did."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import RewritePattern

from ..dialects.level import Level as IrLevel
from .pattern_driver import rewrite

if TYPE_CHECKING:
    from ..dialects.ir.weights import WeightStore

Level = IrLevel | Literal["any"]
"""The level of IR that a pass reads; a conversion is of the level that it starts from."""

F32_TOLERANCE = 1e-5
"""By how much reordering the sums of an f32 network changes an output, as a share of its range."""


@dataclass(frozen=True)
class SmaltiPass(ModulePass):
    """A pass of Smalti: a frozen dataclass whose fields are the options, with `name` and `level` as class variables.

    Subclasses write `run`. A pass sees the module, its options, the target that the module names and the weight store;
    `statistics` counts what it did.
    """

    level: ClassVar[Level] = "any"
    counts: ClassVar[Mapping[str, str]] = {}
    """The statistics of the pass: each name → what it counts. For patterns use `pattern_counts`."""

    @property
    def tolerance(self) -> float:
        """By how much the pass may change what is computed in f32 (by summing in another order), as a share of an
        output's range.
        """
        return F32_TOLERANCE

    @property
    def integer_tolerance(self) -> float:
        """By how much the pass may change what is computed in integers, as a share of an output's range: 0, except for
        passes that round in another place by design.
        """
        return 0.0

    @cached_property
    def statistics(self) -> dict[str, int]:
        """What the pass did, counted by name ("fold_batch_norm": 27), over all runs of this instance."""
        return {}

    def count(self, what: str, number: int = 1) -> None:
        """Add `number` to the statistic `what`."""
        if number:
            self.statistics[what] = self.statistics.get(what, 0) + number

    def count_most(self, what: str, number: int) -> None:
        """Make the statistic `what` at least `number`: the greatest one of all is kept."""
        self.statistics[what] = max(number, self.statistics.get(what, 0))

    def rewrite(self, module: ModuleOp, patterns: Sequence[RewritePattern]) -> int:
        """Apply `patterns` with the pattern driver until none matches, count each under its name, and return the number
        of rewrites.
        """
        return rewrite(module, patterns, counts=self.statistics)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Run the pass on module `op`, in place.

        A context that xDSL made (in xdsl-opt, xdsl-gui) knows no weights: then the file that the module names is opened
        first, in the current folder.
        """
        from ..dialects.ir.context import SmaltiContext

        if not isinstance(ctx, SmaltiContext):
            from ..dialects.ir.text.module_text import open_weights

            open_weights(op, ctx)
        self.run(ctx, op)

    @abstractmethod
    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Change `module` in place. Raises DiagnosticError if the user's input does not allow that."""


def store_of(ctx: Context) -> WeightStore:
    """Return the weight store that belongs to `ctx`."""
    from ..dialects.ir.context import weights_of

    return weights_of(ctx)
