"""The base of Smalti's passes: what level a pass works on, its options, and the count of what it
did."""

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

from .pattern_driver import rewrite

if TYPE_CHECKING:
    from ..dialects.ir.weights import WeightStore

Level = Literal["top", "tpu", "tile", "isa", "any"]
"""The level of IR that a pass reads; a conversion is of the level that it starts from."""

F32_TOLERANCE = 1e-5
"""What reordering the sums of an f32 network moves, as a share of an output's range."""


@dataclass(frozen=True)
class SmaltiPass(ModulePass):
    """A pass of Smalti: a frozen dataclass whose fields are the options, with `name` and `level` as
    class variables.

    Subclasses write `run`. A pass sees the module, its options, the target that the module names
    and the weight store; what it did is counted in `statistics`.
    """

    level: ClassVar[Level] = "any"
    counts: ClassVar[Mapping[str, str]] = {}
    """What the pass counts: a name → what that is the number of. Patterns: `pattern_counts`."""

    @property
    def tolerance(self) -> float:
        """How far, as a share of an output's range, the pass may move what is computed in f32 (sums
        in another order).
        """
        return F32_TOLERANCE

    @property
    def integer_tolerance(self) -> float:
        """How far, as a share of an output's range, the pass may move what is computed in integers:
        not at all, but for passes that round in another place by design.
        """
        return 0.0

    @cached_property
    def statistics(self) -> dict[str, int]:
        """What the pass did, counted by name ("fold_batch_norm": 27), over all runs of this
        instance."""
        return {}

    def count(self, what: str, number: int = 1) -> None:
        """Adds `number` to the statistic `what`."""
        if number:
            self.statistics[what] = self.statistics.get(what, 0) + number

    def rewrite(self, module: ModuleOp, patterns: Sequence[RewritePattern]) -> int:
        """Applies `patterns` to a fixpoint with the pattern driver and counts each under its name;
        returns how many."""
        return rewrite(module, patterns, counts=self.statistics)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Runs the pass on module `op`, in place.

        In a context of xDSL's own (xdsl-opt, xdsl-gui), which knows no weights, the file that the
        module names is opened first, beside the current folder.
        """
        from ..dialects.context import SmaltiContext

        if not isinstance(ctx, SmaltiContext):
            from ..dialects.ir.text.module_text import open_weights

            open_weights(op, ctx)
        self.run(ctx, op)

    @abstractmethod
    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Changes `module` in place; DiagnosticError where the user's input does not allow it."""


def store_of(ctx: Context) -> WeightStore:
    """The weight store that belongs to `ctx`."""
    from ..dialects.context import weights_of

    return weights_of(ctx)
