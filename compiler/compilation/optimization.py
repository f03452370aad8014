"""How hard a compilation tries to make the program fast: levels and single effects, each an option of a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from numbers import Integral

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...dialects.tile import Schedule
from ...passes.registry import pass_with_options
from ...passes.tile.network_schedule import Entry, NetworkSchedule
from ...passes.tile.order_engines import OrderEngines
from ...passes.tile.plan import OBJECTIVES, Plan
from .arguments import Argument, check_arguments
from .pass_change import PassChange

_LEVELS: tuple[Mapping[str, Mapping[str, object]], ...] = (
    {
        Plan.name: {
            "on_chip": False,
            "multicast_weights": False,
            "splits": "by-layer",
            "tiles": "by-layer",
        },
        OrderEngines.name: {"prefetch": 0},
    },
    {Plan.name: {"splits": "by-layer", "tiles": "by-layer"}},
    {},
)
"""By level, the options of passes that differ from their defaults."""

HIGHEST_LEVEL = len(_LEVELS) - 1
_LEVELS_THERE = f"0 to {HIGHEST_LEVEL}"


@dataclass(frozen=True)
class Optimization:
    """How hard to optimize. All programs compute the same; integers are the same to the bit.

    `level`: 0 is easy to read: one layer after the other, each from and to global memory, loads where they are needed;
    1 keeps tensors on chip, multicasts weights and loads ahead, with each layer divided as is best for it alone; 2
    divides all layers together, so that they find their inputs where they need them.

    The others change single effects of the level; None leaves them as it says. `on_chip`: whether tensors between
    layers may stay in local memories. `multicast_weights`: whether cores may load at once the weights that they share.
    `split_factor`: into how many parts a layer is divided at most. `memory_effort`: among how many loads ahead a core's
    DMA engine may choose. `objective`: what is made good, the "latency" of one run (the default) or the "throughput" of
    run after run, which may be that of a plan in which each core has samples of the batch to itself.

    Raises DiagnosticError if a value has a wrong type, if there is no such level, or if a number is too small.
    """

    level: int = HIGHEST_LEVEL
    on_chip: bool | None = None
    multicast_weights: bool | None = None
    split_factor: int | None = None
    memory_effort: int | None = None
    objective: str | None = None

    def __post_init__(self) -> None:
        number, choice = (Integral, type(None)), (bool, type(None))
        check_arguments(
            "Optimization",
            {
                "level": Argument([self.level], (Integral,), f"a level, {_LEVELS_THERE}"),
                "on_chip": Argument([self.on_chip], choice, "True, False or None"),
                "multicast_weights": Argument(
                    [self.multicast_weights], choice, "True, False or None"
                ),
                "split_factor": Argument([self.split_factor], number, "a number of parts, or None"),
                "memory_effort": Argument(
                    [self.memory_effort], number, "a number of loads, or None"
                ),
                "objective": Argument(
                    [self.objective], (str, type(None)), f"{' or '.join(OBJECTIVES)}, or None"
                ),
            },
        )
        if self.level not in range(HIGHEST_LEVEL + 1):
            raise DiagnosticError(
                f"there is no optimization level {self.level}",
                Place(name="Optimization(level=)"),
                hint=f"the levels are {_LEVELS_THERE}",
            )
        if self.objective is not None and self.objective not in OBJECTIVES:
            raise DiagnosticError(
                f"there is no objective '{self.objective}'",
                Place(name="Optimization(objective=)"),
                hint=f"the objectives are {' and '.join(OBJECTIVES)}",
            )
        for name, value, least in (
            ("split_factor", self.split_factor, 1),
            ("memory_effort", self.memory_effort, 0),
        ):
            if value is not None and value < least:
                raise DiagnosticError(
                    f"{name} is at least {least}, got {value}",
                    Place(name=f"Optimization({name}=)"),
                )

    def changes(self) -> tuple[PassChange, ...]:
        """Return the options of passes that it means; those of single effects come last, and win."""
        level = [
            PassChange(name, pass_with_options(name, options), f"-O{self.level}")
            for name, options in _LEVELS[self.level].items()
        ]
        return (*level, *self.effects())

    def effects(self) -> tuple[PassChange, ...]:
        """Return the options of passes that single effects are."""
        return tuple(
            PassChange(name, pass_with_options(name, {option: value}), flag)
            for flag, name, option, value in self._effects()
        )

    def _effects(self) -> Iterator[tuple[str, str, str, bool | int | str]]:
        """Yield each single effect: its flag, and the pass, the option and the value that it stands for."""
        for name in ("on_chip", "multicast_weights"):
            value = getattr(self, name)
            if value is not None:
                yield _flag(name, value), Plan.name, name, value
        if self.split_factor is not None:
            yield "--split-factor", Plan.name, "parts", self.split_factor
        if self.memory_effort is not None:
            yield "--memory-effort", OrderEngines.name, "prefetch", self.memory_effort
        if self.objective is not None:
            yield "--optimize", Plan.name, "objective", self.objective

    def check_with(self, schedule: NetworkSchedule) -> None:
        """Raise DiagnosticError if a schedule asks for what a single effect rules out.

        A level rules nothing out: it is about what a schedule leaves open.
        """
        for entry in schedule.entries:
            given, parts = entry.schedule, _parts_of(entry.schedule)
            if self.on_chip is False and given.stays_on_chip:
                raise _contradiction(entry, "--no-on-chip", f"output = {given.output}")
            if self.multicast_weights is False and given.weights == "multicast":
                raise _contradiction(entry, "--no-multicast-weights", "weights = multicast")
            if self.split_factor is not None and parts > self.split_factor:
                raise _contradiction(entry, f"--split-factor {self.split_factor}", f"{parts} parts")


def _flag(name: str, value: bool) -> str:
    return f"--{'' if value else 'no-'}{name.replace('_', '-')}"


def _parts_of(schedule: Schedule) -> int:
    """Return into how many parts a schedule divides a layer at least."""
    return max(prod(schedule.split or ()), schedule.values_per_part or 1)


def _contradiction(entry: Entry, flag: str, given: str) -> DiagnosticError:
    return DiagnosticError(
        f"{flag} rules out what the schedule says of '{entry.pattern}': {given}",
        entry.place,
        hint=f"leave {flag.partition(' ')[0]} out, or change the entry",
    )
