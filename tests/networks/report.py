"""`python -m tests.networks.report`: measures networks in every number format and writes the table of README.md."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Collection, Sequence

from smalti.backends.diagnostics.progress import Progress
from smalti.backends.simulator.simulate import simulate
from smalti.passes.top_to_tpu.precision.schemes import QUANTIZE, Quantize
from smalti.tools.console.progress_bar import progress_bar

from .accuracy import Accuracy, Case, measure
from .catalog import NETWORKS
from .figures import README, Figures

TARGET = "default-8c"
HEADER = (
    "network", "format", "compile [CPU s]", "instructions", "cycles", "output error", "tensors", "least SNR [dB]",
    "INT8 of ONNX Runtime [dB]", "worst loss [dB]",
)  # fmt: skip
FIGURES = Figures("figures", HEADER, keys=2, words=2)


def row(case: Case, quantize: Quantize) -> list[str]:
    """A network in one format: the cells of a line of the table."""
    found = measure(case, quantize, TARGET)
    timing = simulate(found.program, None, mode="timing").timing
    assert timing is not None
    return [
        case.network.name,
        quantize,
        f"{found.compile_seconds:.1f}",
        f"{found.program.instruction_count:,}",
        f"{timing.cycles:,}",
        "" if quantize == "int8" else f"{found.output_error:.1e}",
        str(len(found.tensors)),
        f"{found.worst.snr_db:.1f}",
        *_against_int8(found),
    ]


def _against_int8(found: Accuracy) -> tuple[str, str]:
    """The least SNR of ONNX Runtime's INT8 among the tensors of both, and by how much Smalti's is worse at most."""
    losses = found.losses()
    if not losses:
        return "", ""
    least = min(found.yardstick[name].snr_db for name in losses)
    worst = max(losses.values())
    return f"{least:.1f}", f"{worst + 0.0:.1f}"


def main(words: list[str] | None = None) -> int:
    """Always 0: networks whose files are not here are named and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.report", description=__doc__)
    parser.add_argument("names", nargs="*", help="networks (default: all)", metavar="NAME")
    parser.add_argument(
        "--format", action="append", choices=QUANTIZE, help="number format (default: all)"
    )
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    args = parser.parse_args(words)
    unknown = [name for name in args.names if name not in NETWORKS]
    if unknown:
        parser.error(f"no network {', '.join(unknown)}; there are {', '.join(NETWORKS)}")
    with progress_bar() as progress:
        rows = measure_all(args.names or NETWORKS, args.format or QUANTIZE, args.write, progress)
    if not args.write:
        print(FIGURES.text(rows))
    return 0


def measure_all(
    names: Collection[str], formats: Sequence[Quantize], writes: bool, progress: Progress
) -> list[list[str]]:
    """The rows of networks in some formats, put into README.md network by network if `writes`."""
    rows: list[list[str]] = []
    total = len(names) * len(formats)
    for index, name in enumerate(names):
        network = NETWORKS[name]
        if not network.is_here:
            print(f"{name}: {network.file} is not here", file=sys.stderr)
            continue
        case = Case(network)
        for step, quantize in enumerate(formats):
            progress("networks", index * len(formats) + step, total)
            rows.append(row(case, quantize))
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
            gc.collect()
        if writes:
            write(rows)
    progress("networks", total, total)
    return rows


def write(rows: Sequence[Sequence[str]]) -> None:
    """Puts rows into README.md; those of other networks and formats stay."""
    FIGURES.write(rows, [(name, quantize) for name in NETWORKS for quantize in QUANTIZE], README)


if __name__ == "__main__":
    sys.exit(main())
