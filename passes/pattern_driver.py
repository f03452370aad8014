"""The shared pattern driver: rewrites until no pattern matches, carries locations over, keeps names unique, and always
ends.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, LocationAttr, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriterListener,
    PatternRewriteWalker,
    RewritePattern,
)
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from ..backends.diagnostics.diagnostic import DiagnosticError
from ..dialects.ir.location import fuse, is_unknown, names_of, place_of
from .rewrite_counter import current_counter
from .rewrite_observer import current_observers

_REWRITES_PER_OP = 16
_REWRITES_AT_LEAST = 1000
_REMEMBERED = 64
"""How many of the latest rewrites are looked at to find the patterns that undo each other."""


def rewrite(
    scope: Operation,
    patterns: Sequence[RewritePattern],
    *,
    max_rewrites: int | None = None,
    counts: dict[str, int] | None = None,
) -> int:
    """Apply `patterns` to every op inside `scope` until none matches, and return how many rewrites that took.

    For each op the first pattern that matches is applied, in the order given. Ops that nobody uses any more are erased.

    - Locations: an op that a rewrite makes gets the locations of the ops that the rewrite removed,
      fused; when an op is replaced by a value that existed before, the op that makes that value
      gets the location in addition to its own. Constants (ops without operands) hand on nothing. A
      location that a pattern sets itself stays.
    - Names: if the property `name` of a new op is already that of another op or a graph input, it
      gets a suffix (_1, _2 …).
    - End: after `max_rewrites` rewrites (16 per op and 1000 if None) a DiagnosticError names the
      patterns that are applied over and over.

    If `counts` is given, the number of times that each pattern was applied is added to it, under the pattern's class
    name in snake case. Errors that a pattern raises are passed on as they are.
    """
    session = _Session(scope, patterns, max_rewrites)
    walker = PatternRewriteWalker(session, listener=session.listener())
    try:
        for region in scope.regions:
            walker.rewrite_region(region)
    except _AbortError as abort:
        raise abort.error from abort.error.__cause__
    if counts is not None:
        for name, number in session.applied.items():
            counts[name] = counts.get(name, 0) + number
    return session.applied.total()


def pattern_counts(*patterns: type[RewritePattern]) -> dict[str, str]:
    """Return what the driver counts for patterns: their names in snake case → what they do, for `SmaltiPass.counts`."""
    return {
        _snake_case(pattern.__name__): " ".join(
            (pattern.__doc__ or "").partition("\n\n")[0].split()
        )
        for pattern in patterns
    }


class UniqueNames:
    """The names of a module's values: those of ops (property `name`) and those of the functions' inputs."""

    def __init__(self, scope: Operation) -> None:
        self._uses: Counter[str] = Counter()
        self._next: dict[str, int] = {}
        for op in scope.walk():
            self.add(op)

    def add(self, op: Operation) -> None:
        """Note the name of `op`'s result or, if it is a function, the names of its inputs."""
        name = _name_of(op)
        if name is not None:
            self._uses[name] += 1
        inputs = op.attributes.get("smalti.inputs")
        if isinstance(inputs, ArrayAttr):
            self._uses.update(item.data for item in inputs if isinstance(item, StringAttr))

    def remove(self, op: Operation) -> None:
        """Forget the name of an op that is being removed."""
        name = _name_of(op)
        if name is not None:
            self._uses[name] -= 1

    def fresh(self, name: str) -> str:
        """Return `name` if no value has it yet, else `name` with the first free suffix _1, _2 …; the returned name
        counts as taken from now on.
        """
        if self._uses[name]:
            stem, number = name, self._next.get(name, 1)
            while self._uses[f"{stem}_{number}"]:
                number += 1
            # Continue where the last search ended, so that n equal names do not cost n² look-ups.
            self._next[stem] = number + 1
            name = f"{stem}_{number}"
        self._uses[name] += 1
        return name

    def settle(self, op: Operation) -> None:
        """Rename `op`, which has been added, if another op has the same name."""
        name = _name_of(op)
        if name is not None and self._uses[name] > 1:
            self._uses[name] -= 1
            op.properties["name"] = StringAttr(self.fresh(name))


class _AbortError(BaseException):
    """Carries an error out of xDSL's walker, which would wrap any Exception in a dump of the whole module."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class _Session(RewritePattern):
    """One run of the driver: tries the patterns on an op, and after each rewrite corrects locations and names."""

    def __init__(
        self, scope: Operation, patterns: Sequence[RewritePattern], limit: int | None
    ) -> None:
        self.patterns = [(pattern, _snake_case(type(pattern).__name__)) for pattern in patterns]
        self.names = UniqueNames(scope)
        if limit is None:
            limit = _REWRITES_AT_LEAST + _REWRITES_PER_OP * sum(1 for _ in scope.walk())
        self.limit = limit
        self.counter = current_counter()
        self.observers = current_observers()
        self.applied: Counter[str] = Counter()
        self.latest: deque[str] = deque(maxlen=_REMEMBERED)
        self.inserted: dict[Operation, None] = {}
        self.removed: list[LocationAttr] = []
        self.replaced: list[tuple[Operation, LocationAttr]] = []

    def listener(self) -> PatternRewriterListener:
        """Return the listener through which the rewriter reports what a pattern does."""
        return PatternRewriterListener(
            operation_insertion_handler=[self._on_insertion],
            operation_removal_handler=[self._on_removal],
            operation_replacement_handler=[self._on_replacement],
        )

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if is_trivially_dead(op):
            rewriter.erase(op)
            self._forget()
            return
        if self.counter is not None and self.counter.is_spent:
            return
        place, location = op, op.location
        for observer in self.observers:
            observer.visited(op)
        for pattern, name in self.patterns:
            try:
                pattern.match_and_rewrite(op, rewriter)
            except Exception as error:
                raise _AbortError(error) from error
            if rewriter.has_done_action:
                made = self._put_right(location)
                for observer in self.observers:
                    observer.rewritten(name, op, made)
                self._count(name, place)
                return

    def _on_insertion(self, op: Operation) -> None:
        for inner in op.walk():
            self.inserted[inner] = None
            self.names.add(inner)

    def _on_removal(self, op: Operation) -> None:
        if op not in self.inserted:
            for observer in self.observers:
                observer.removed(op)
        for inner in op.walk():
            self.names.remove(inner)
        if op.operands and op not in self.inserted:
            self.removed.append(op.location)

    def _on_replacement(self, op: Operation, new_results: Sequence[SSAValue | None]) -> None:
        for value in new_results:
            if (
                value is not None
                and isinstance(value.owner, Operation)
                and value.owner not in self.inserted
            ):
                self.replaced.append((value.owner, op.location))

    def _put_right(self, location: LocationAttr) -> list[Operation]:
        """Give the ops of the rewrite just done their locations and names, and return them; `location` is that of the
        matched op.
        """
        # Patterns replace an op first and erase its producers afterwards, so the reverse is program
        # order.
        fused = fuse(self.removed[::-1] or [location])
        made = [op for op in self.inserted if op.parent is not None]
        for op in made:
            if is_unknown(op.location):
                op.location = fused
            self.names.settle(op)
        for op, source in self.replaced:
            op.location = fuse([op.location, source])
        self._forget()
        return made

    def _forget(self) -> None:
        self.inserted.clear()
        self.removed.clear()
        self.replaced.clear()

    def _count(self, pattern: str, op: Operation) -> None:
        self.applied[pattern] += 1
        self.latest.append(pattern)
        if self.counter is not None:
            self.counter.done.append((pattern, _where(op)))
        total = self.applied.total()
        if total <= self.limit:
            return
        error = DiagnosticError(
            f"{_culprits(self.applied, self.latest)} in {total} rewrites",
            place_of(op),
            hint="a mistake in the pass, not in the model: --log-rewrites=FILE shows every rewrite",
        )
        raise _AbortError(error)


def _culprits(applied: Counter[str], latest: Sequence[str]) -> str:
    """Return the patterns that keep the driver busy: those of the latest rewrites."""
    busy = sorted(set(latest), key=lambda name: -applied[name])
    if len(busy) == 1:
        return f"pattern '{busy[0]}' does not end: applied {applied[busy[0]]} times"
    names = ", ".join(f"'{name}'" for name in busy[:-1])
    numbers = ", ".join(str(applied[name]) for name in busy)
    return f"patterns {names} and '{busy[-1]}' undo each other: applied {numbers} times"


def _name_of(op: Operation) -> str | None:
    name = op.properties.get("name")
    return name.data if isinstance(name, StringAttr) and op.results else None


def _where(op: Operation) -> str:
    """Return the nodes of the model from which an op stems, and the line of IR from which it was read."""
    nodes, place = ", ".join(names_of(op.location)), str(place_of(op))
    return place if not nodes or nodes == place else f"{nodes} ({place})"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
