"""`python -m tests.networks.estimates`: compares the planner's estimates with the simulator, layer by layer, and writes
the table of README.md.

The planner estimates when the last tile of each layer is done; in the simulator that is the end of the layer's last
instruction on a matrix or vector unit, or of its last one at all if it has only copies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from smalti.backends.instructions.instruction_set import ENGINES
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.compiler.driver.plan_tracing import PlanTracing
from smalti.passes.tile.planning.decisions import PlanTrace

from .accuracy import Case
from .figures import README, Figures
from .measured import KNOWN, add_names, cases, refuse_unknown

TARGET = "default-8c"
HEADER = (
    "network", "worst layer", "its estimate", "simulated", "its error", "layers", "median error", "90th percentile",
    "estimated cycles in all", "simulated cycles in all", "error in all",
)  # fmt: skip
FIGURES = Figures("estimates", HEADER, keys=1, words=2)
MEASURED = ("resnet50", "mobilenet_v2", "inception_v1", "bert_layer", "vgg19")
"""What is compared unless networks are named."""
_UNITS = [ENGINES.index("matrix"), ENGINES.index("vector")]


@dataclass(frozen=True)
class LayerError:
    """A layer, and the cycles from the start of the network after which it is done."""

    name: str
    estimated: float
    simulated: float

    @property
    def error(self) -> float:
        """By which share of the simulated cycles the estimate is off."""
        return abs(self.estimated - self.simulated) / self.simulated


@dataclass(frozen=True)
class Comparison:
    """The layers of a network that have instructions, in the planner's order, and the cycles of the whole network."""

    layers: tuple[LayerError, ...]
    estimated: float
    simulated: float

    @property
    def worst(self) -> LayerError:
        """The layer with the largest error."""
        return max(self.layers, key=lambda layer: layer.error)

    def percentile(self, percent: float) -> float:
        """The error that so many percent of the layers do not exceed."""
        return float(np.percentile([layer.error for layer in self.layers], percent))


def estimated_ends(trace: PlanTrace) -> dict[str, int]:
    """When each layer of a plan is estimated to be done, by name."""
    ends: dict[str, int] = {}
    for layer in trace:
        ends[layer.name] = max(layer.done_cycles, ends.get(layer.name, 0))
    return ends


def simulated_ends(timing: Timing) -> dict[str, float]:
    """When each layer with instructions is done in the simulator, by name."""
    words, end = timing.streams.words, timing.instructions.end
    names = np.array([timing.streams.program.origin(int(number)).op for number in words["debug"]])
    computes = np.isin(words["engine"], _UNITS)
    ends: dict[str, float] = {}
    for chosen in (computes, ~computes):
        found: dict[str, float] = {}
        for name, at in zip(names[chosen].tolist(), end[chosen].tolist(), strict=True):
            found[name] = max(at, found.get(name, 0.0))
        ends = found | ends
    return ends


def compare(case: Case, target: str = TARGET) -> Comparison:
    """Compiles a network in INT8 and compares the ends of its layers, planned and simulated."""
    tracing = PlanTracing()
    _, compiled, _ = case.compile("int8", target, instruments=[tracing])
    timing = simulate(compiled.program, None, mode="timing").timing
    assert tracing.trace is not None and timing is not None
    planned, ran = estimated_ends(tracing.trace), simulated_ends(timing)
    layers = tuple(LayerError(name, planned[name], ran[name]) for name in planned if name in ran)
    return Comparison(layers, max(planned.values()), timing.cycles)


def row(name: str, found: Comparison) -> list[str]:
    """The cells of a line of the table."""
    worst = found.worst
    return [
        name,
        f"`{worst.name}`",
        f"{worst.estimated:,.0f}",
        f"{worst.simulated:,.0f}",
        f"{worst.error:.1%}",
        str(len(found.layers)),
        f"{found.percentile(50):.1%}",
        f"{found.percentile(90):.1%}",
        f"{found.estimated:,.0f}",
        f"{found.simulated:,.0f}",
        f"{abs(found.estimated - found.simulated) / found.simulated:.1%}",
    ]


def listing(found: Comparison) -> str:
    """A line for each layer: when it is estimated to be done, when it is done, the error, and its name."""
    return "\n".join(
        f"{each.estimated:12,.0f} {each.simulated:12,.0f} {each.error:7.1%}  {each.name}"
        for each in found.layers
    )


def main(words: list[str] | None = None) -> int:
    """Always 0: networks whose files are not here are named and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.estimates", description=__doc__)
    add_names(parser, MEASURED)
    parser.add_argument("--layers", action="store_true", help="print a line for each layer, too")
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    args = parser.parse_args(words)
    refuse_unknown(parser, args.names, KNOWN)
    rows = compare_all(args.names or MEASURED, args.layers, args.write)
    if not args.write:
        print(FIGURES.text(rows))
    return 0


def compare_all(names: Collection[str], lists_layers: bool, writes: bool) -> list[list[str]]:
    """The rows of networks, put into README.md network by network if `writes`."""
    rows: list[list[str]] = []
    for case in cases(names):
        found = compare(case)
        rows.append(row(case.network.name, found))
        print("  ".join(rows[-1]), file=sys.stderr, flush=True)
        if lists_layers:
            print(f"{case.network.name}\n{listing(found)}\n")
        if writes:
            write(rows)
    return rows


def write(rows: Sequence[Sequence[str]]) -> None:
    """Puts rows into README.md; those of other networks stay."""
    FIGURES.write(rows, [(name,) for name in MEASURED], README)


if __name__ == "__main__":
    sys.exit(main())
