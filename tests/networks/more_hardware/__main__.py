"""`python -m tests.networks.more_hardware`: whether more hardware makes single layers slower."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from smalti.passes.top_to_tpu.precision.schemes import Quantize
from smalti.tools.console.progress_bar import progress_bar

from .layers import LAYERS
from .sweeps import AXES, FORMATS, Sweeper, Swept


def line(found: Swept) -> str:
    """The line of a sweep: its cycles, and by how much a step makes the layer slower where that is too much."""
    slower = dict(found.violations)
    cells = [
        f"{value:g}: {cycles:,}" + (f" (+{slower[value]:.1%})" if value in slower else "")
        for value, cycles in zip(found.values, found.cycles, strict=True)
    ]
    mark = "SLOWER" if slower else ""
    sweep = found.sweep
    return f"{sweep.layer:24}{sweep.quantize:6}{sweep.axis:14}{mark:8}{'  '.join(cells)}"


def counts(swept: Sequence[Swept]) -> str:
    """How many sweeps, and how many steps of them, are too slow along each axis."""
    sweeps, slow, steps = Counter[str](), Counter[str](), Counter[str]()
    for found in swept:
        axis = found.sweep.axis
        sweeps[axis] += 1
        slow[axis] += bool(found.violations)
        steps[axis] += len(found.violations)
    lines = [f"{'axis':14}{'tolerance':>10}{'sweeps':>8}{'slower':>8}{'steps':>8}"]
    for axis in sweeps:
        tolerance = f"{AXES[axis].tolerance:.0%}"
        lines.append(f"{axis:14}{tolerance:>10}{sweeps[axis]:8}{slow[axis]:8}{steps[axis]:8}")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """1 if a layer takes more cycles on more hardware than its axis tolerates, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.networks.more_hardware", description=__doc__
    )
    parser.add_argument(
        "layers", nargs="*", metavar="LAYER", help=f"layers (default: all of {', '.join(LAYERS)})"
    )
    parser.add_argument("--format", action="append", choices=FORMATS, help="default: both")
    parser.add_argument("--axis", action="append", choices=[*AXES], help="default: all")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    args = parser.parse_args(words)
    unknown = [name for name in args.layers if name not in LAYERS]
    if unknown:
        parser.error(f"no layer {', '.join(unknown)}; there are {', '.join(LAYERS)}")
    cases = [
        (layer, quantize) for layer in args.layers or LAYERS for quantize in args.format or FORMATS
    ]
    swept = sweep_all(cases, args.axis or [*AXES], args.jobs)
    print(counts(swept))
    return int(any(found.violations for found in swept))


def sweep_all(
    cases: Sequence[tuple[str, Quantize]], axes: Sequence[str], jobs: int = 1
) -> list[Swept]:
    """What was found for each layer, format and axis, in `jobs` processes, printed as soon as it is."""
    found: list[Swept] = []
    with ProcessPoolExecutor(jobs) as pool, progress_bar() as progress:
        for number, swept in enumerate(pool.map(_sweep, cases, repeat(axes))):
            progress("layers", number, len(cases))
            found += swept
            print("\n".join(map(line, swept)), flush=True)
    return found


def _sweep(case: tuple[str, Quantize], axes: Sequence[str]) -> list[Swept]:
    sweeper = Sweeper(*case)
    return [sweeper.sweep(axis) for axis in axes]


if __name__ == "__main__":
    sys.exit(main())
