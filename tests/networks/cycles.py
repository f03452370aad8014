"""`python -m tests.networks.cycles`: times networks against their lower bounds, and writes the table of README.md."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from smalti.backends.program.program import Program
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import known_targets
from smalti.passes.top_to_tpu.precision.schemes import QUANTIZE, Quantize
from smalti.tools.console.progress_bar import progress_bar

from .accuracy import Case
from .figures import README, Figures
from .measured import KNOWN

TARGET = "default-8c"
HEADER = (
    "network", "target", "bound by", "cycles", "lower bound", "cycles ÷ bound", "cycles with --io-quantized",
    "bytes through global memory", "÷ weights, inputs, outputs", "compile [CPU s]", "instructions",
)  # fmt: skip
FIGURES = Figures("cycles", HEADER, keys=2, words=3)


@dataclass(frozen=True)
class Measured:
    """A network for a batch, written as `resnet50:8`; without a batch it is 1."""

    name: str
    batch: int = 1

    @staticmethod
    def parse(text: str) -> Measured:
        """Reads a network and a batch, as an argparse type."""
        name, _, batch = text.partition(":")
        if name not in KNOWN:
            known = ", ".join(KNOWN)
            raise argparse.ArgumentTypeError(f"no network {name}; there are {known}")
        if batch and not (batch.isdecimal() and int(batch)):
            raise argparse.ArgumentTypeError(f"'{batch}' is no batch")
        return Measured(name, int(batch or 1))

    def __str__(self) -> str:
        return self.name if self.batch == 1 else f"{self.name}:{self.batch}"


MEASURED = (
    Measured("resnet50"), Measured("resnet50", 8), Measured("mobilenet_v2"), Measured("mobilenet_v2", 8),
    Measured("squeezenet"), Measured("inception_v1"), Measured("densenet121"), Measured("vgg19"),
    Measured("bert_layer"), Measured("bert_base"), Measured("gpt2_small"), Measured("cifar10"), Measured("digits"),
)  # fmt: skip
"""What is measured unless networks are named."""


def row(case: Case, batch: int, quantize: Quantize, target: str) -> list[str]:
    """A network on a target: the cells of a line of the table."""
    compilation, compiled, seconds = case.compile(quantize, target, batch)
    program = compiled.program
    timing = simulate(program, None, mode="timing").timing
    bound = compilation.lower_bound()
    assert timing is not None and bound is not None
    moved = timing.memory_bytes["global_bus"]
    return [
        str(Measured(case.network.name, batch)),
        target,
        bound.resource,
        f"{timing.cycles:,}",
        f"{bound.cycles:,}",
        f"{bound.ratio(timing.cycles):.2f}",
        _with_quantized_ports(case, batch, quantize, target),
        f"{moved:,}",
        f"{moved / needed_bytes(program):.2f}",
        f"{seconds:.1f}",
        f"{program.instruction_count:,}",
    ]


def _with_quantized_ports(case: Case, batch: int, quantize: Quantize, target: str) -> str:
    """The cycles of a network whose ports hold what the device computes with; blank in f32, where they do anyway."""
    if quantize == "f32":
        return ""
    _, compiled, _ = case.compile(quantize, target, batch, io_quantized=True)
    return f"{compiled.profile().cycles:,}"


def needed_bytes(program: Program) -> int:
    """What must cross global memory once: weights as the program packs them, inputs and outputs."""
    return program.segment_sizes["weights"] + sum(
        port.size for port in [*program.inputs, *program.outputs]
    )


def main(words: list[str] | None = None) -> int:
    """Always 0: networks whose files are not here are named and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.cycles", description=__doc__)
    parser.add_argument(
        "networks",
        nargs="*",
        type=Measured.parse,
        metavar="NAME[:BATCH]",
        help=f"networks (default: {', '.join(map(str, MEASURED))})",
    )
    parser.add_argument(
        "--target",
        action="append",
        metavar="TARGET",
        help=f"a target, by name or path (default: {TARGET}); may be repeated",
    )
    parser.add_argument("--format", choices=QUANTIZE, default="int8", help="default: int8")
    parser.add_argument(
        "--write", action="store_true", help=f"put the rows into {README.name}, for int8"
    )
    args = parser.parse_args(words)
    if args.write and args.format != "int8":
        parser.error(f"the table of {README.name} is for int8")
    rows = measure_all(args.networks or MEASURED, args.target or [TARGET], args.format, args.write)
    if not args.write:
        print(FIGURES.text(rows))
    return 0


def measure_all(
    networks: Sequence[Measured], targets: Sequence[str], quantize: Quantize, writes: bool
) -> list[list[str]]:
    """The rows of networks on some targets, put into README.md network by network if `writes`."""
    rows: list[list[str]] = []
    with progress_bar() as progress:
        for index, measured in enumerate(networks):
            network = KNOWN[measured.name]
            if not network.is_here:
                print(f"{measured.name}: {network.file} is not here", file=sys.stderr)
                continue
            case = Case(network)
            for step, target in enumerate(targets):
                progress("networks", index * len(targets) + step, len(networks) * len(targets))
                rows.append(row(case, measured.batch, quantize, target))
                print("  ".join(rows[-1]), file=sys.stderr, flush=True)
                gc.collect()
            if writes:
                write(rows)
    return rows


def write(rows: Sequence[Sequence[str]]) -> None:
    """Puts rows into README.md; those of other networks and targets stay."""
    order = [(str(measured), target) for target in known_targets() for measured in MEASURED]
    FIGURES.write(rows, order, README)


if __name__ == "__main__":
    sys.exit(main())
