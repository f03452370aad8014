"""`python -m tests.networks.mechanisms`: times networks with each mechanism of the compiler switched off in turn, and
writes the table of README.md.

A network is imported, calibrated and lowered as usual once; each mechanism is then switched off by the options that
users have, from the IR of the level above the first pass that it concerns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import Target, load_target, reference_to
from smalti.compiler.compilation.compilation import Compilation
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.compilation.pass_change import PassChange

from .accuracy import Case
from .figures import README, Figures
from .measured import add_names, cases, refuse_unknown

TARGET = "default-8c"
MEASURED = (
    "digits", "cifar10", "squeezenet", "mobilenet_v2", "inception_v1", "resnet50", "bert_layer",
)  # fmt: skip
"""What is measured unless networks are named."""
HEADER = ("without", "how", *MEASURED)
FIGURES = Figures("mechanisms", HEADER, keys=1, words=2, keeps_cells=True)
DEFAULT = "nothing"


@dataclass(frozen=True)
class Mechanism:
    """Something that makes programs faster, and the `options` that switch it off, which a user gives as `how` says.

    `start` is the level whose IR, of the usual compilation, is compiled with them.
    """

    name: str
    how: str
    options: CompileOptions
    start: Literal["top", "tpu"] = "tpu"

    def cycles(self, usual: Compilation) -> int:
        """The cycles of the network without it; `usual` is its compilation with all mechanisms."""
        module = usual.levels[self.start].clone()
        compilation = Compilation(
            module, usual.ctx, self.options, keep_levels=False, verify_each=False
        )
        return cycles_of(compilation)


def cycles_of(compilation: Compilation) -> int:
    """The cycles of one inference from cold."""
    timing = simulate(compilation.assemble(), None, mode="timing").timing
    assert timing is not None
    return timing.cycles


def _optimized(name: str, how: str, optimization: Optimization) -> Mechanism:
    return Mechanism(name, f"`{how}`", CompileOptions(TARGET, optimization=optimization))


def _set(name: str, *settings: str) -> Mechanism:
    """What an option of a pass of the tile level switches off."""
    changes = tuple(map(PassChange.parse, settings))
    how = ", ".join(f"`--set-pass {each}`" for each in settings)
    return Mechanism(name, how, CompileOptions(TARGET, changes=changes))


def _left_out(name: str, *passes: str) -> Mechanism:
    """What passes do that may be left out."""
    how = ", ".join(f"`--disable-pass {each}`" for each in passes)
    changes = tuple(map(PassChange.disabling, passes))
    return Mechanism(name, how, CompileOptions(TARGET, changes=changes), "top")


def _without_overlap() -> Target:
    target = load_target(TARGET)
    return target.model_copy(update={"matrix": target.matrix.model_copy(update={"overlap": False})})


MECHANISMS = (
    _optimized("the search for splits of all layers together", "-O1", Optimization(1)),
    _optimized("tensors on chip", "--no-on-chip", Optimization(on_chip=False)),
    _set("tiles of all layers chosen together", "tile-plan{tiles=by-layer}"),
    _set("joining and slicing in place", "tile-plan{in-place=false}"),
    _optimized(
        "multicast of weights", "--no-multicast-weights", Optimization(multicast_weights=False)
    ),
    _set("multicast of activations", "tile-plan{multicast-activations=false}"),
    _optimized("loads ahead", "--memory-effort 0", Optimization(memory_effort=0)),
    _set("slack of addresses", "tile-assign-addresses{slack=0}"),
    _optimized("all that -O1 and -O2 add", "-O0", Optimization(0)),
    Mechanism("more than one core", "`--cores 1`", CompileOptions(TARGET, cores=1)),
    _left_out("quantizing before pools", "tpu-hoist-quantization"),
    _left_out("normalizations in f16", "tpu-narrow-floats"),
    _left_out("fused activations", "tpu-fuse-activation"),
    _left_out("fused residuals", "tpu-fuse-residual"),
    _left_out("fused lookup tables", "tpu-fuse-lookup"),
    Mechanism(
        "overlap of a weight tile's load with the product before it",
        "`overlap = false` in the target",
        CompileOptions(reference_to(_without_overlap())),
        "top",
    ),
    Mechanism(
        "casts of inputs and outputs on the device",
        "`--io-quantized`",
        CompileOptions(TARGET, io_quantized=True),
        "top",
    ),
)


def column(case: Case) -> dict[str, str]:
    """The cells of a network, by what is switched off: cycles, and how many times those of the usual program."""
    usual, compiled, _ = case.compile("int8", TARGET)
    least = compiled.profile().cycles
    found = {DEFAULT: f"{least:,} (1.00)"}
    for each in MECHANISMS:
        cycles = each.cycles(usual)
        found[each.name] = f"{cycles:,} ({cycles / least:.2f})"
        print(f"{case.network.name}  without {each.name}: {found[each.name]}", file=sys.stderr)
    return found


def table(columns: dict[str, dict[str, str]], networks: Collection[str]) -> list[list[str]]:
    """A row for each mechanism with the cells of these networks, blank if they were not measured."""
    how = {DEFAULT: "", **{each.name: each.how for each in MECHANISMS}}
    return [
        [name, text, *(columns.get(network, {}).get(name, "") for network in networks)]
        for name, text in how.items()
    ]


def main(words: list[str] | None = None) -> int:
    """Always 0: networks whose files are not here are named and left out."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.networks.mechanisms", description=__doc__
    )
    add_names(parser, MEASURED)
    parser.add_argument("--write", action="store_true", help=f"put the columns into {README.name}")
    args = parser.parse_args(words)
    refuse_unknown(parser, args.names, MEASURED)
    columns: dict[str, dict[str, str]] = {}
    for case in cases(args.names or MEASURED):
        columns[case.network.name] = column(case)
        if args.write:
            write(table(columns, MEASURED))
    if not args.write:
        shown = replace(FIGURES, header=(*HEADER[: FIGURES.words], *columns))
        print(shown.text(table(columns, columns)))
    return 0


def write(rows: Sequence[Sequence[str]]) -> None:
    """Puts rows into README.md; the cells of other networks stay."""
    FIGURES.write(rows, [(row[0],) for row in table({}, ())], README)


if __name__ == "__main__":
    sys.exit(main())
