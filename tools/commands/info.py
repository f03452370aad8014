"""`smalti info`: what a program holds, needs and takes, what bounds it, and what to try."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile

if TYPE_CHECKING:
    from ...backends.program.program import Program
    from ...compiler.analysis.program_summary import ProgramSummary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti info`."""
    parser.add_argument("program", type=InputFile, help="program file (.smalti)")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print JSON")
    shown.add_argument(
        "--schedule",
        action="store_true",
        help="print how its layers are carried out, as smalti compile --schedule reads it",
    )


def run(args: argparse.Namespace) -> int:
    """Print the figures of the program."""
    from ...backends.program import container
    from ...compiler.analysis.program_summary import summarize_program

    program = container.load(args.program)
    if args.schedule:
        print(_schedule_of(program, args.program), end="")
        return EXIT_FINE
    summary = summarize_program(program)
    if args.json:
        import json

        print(json.dumps(summary.to_json(), indent=2))
    else:
        print(format_summary(summary))
    return EXIT_FINE


def _schedule_of(program: Program, file: str) -> str:
    """Return the text of a program's schedule. Raises DiagnosticError if it has none."""
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place

    if not program.schedule:
        raise DiagnosticError(
            "the program holds no schedule: it was made of IR whose layers were tiled already",
            Place(file=file),
            hint="compile it from the model, or from IR of level top or tpu",
        )
    return program.schedule


def format_summary(summary: ProgramSummary) -> str:
    """Return the figures as text, a line each."""
    from ..console.timing_report import short_bytes

    segments = summary.segment_bytes
    rest = ("weights", "scratch")
    others = [f"{short_bytes(size)} {name}" for name, size in segments.items() if name not in rest]
    lines = [
        ("program", f"{summary.name}, {summary.instructions:,} instructions for {summary.target}"),
        *(("input", str(port)) for port in summary.inputs),
        *(("output", str(port)) for port in summary.outputs),
        ("batch", f"{summary.batch}" if summary.batch else "none: inputs have no common axis 0"),
        ("cores", f"{summary.cores_used} used of {summary.cores}"),
        ("weights", short_bytes(segments["weights"])),
        ("scratch", short_bytes(segments["scratch"])),
        ("other global memory", ", ".join([*others, f"{short_bytes(summary.code_bytes)} code"])),
        ("local memory, peak", _peaks(summary.peak_local_bytes, summary.local_memory_bytes)),
        *_packing(summary),
        ("accumulators, peak", _peaks(summary.peak_accumulator_bytes, summary.accumulator_bytes)),
        ("time", f"{summary.milliseconds:.4f} ms, {summary.cycles:,} cycles from cold"),
        *_lower_bound(summary),
        ("inferences per second", _rates(summary)),
        ("energy", f"{summary.energy_picojoules / 1e6:,.2f} µJ per inference"),
        ("bound by", str(summary.bound)),
    ]
    if summary.advice:
        lines.append(("advice", summary.advice))
    return "\n".join(f"{title:<22} {text}" for title, text in lines)


def _lower_bound(summary: ProgramSummary) -> list[tuple[str, str]]:
    """Return how far the cycles are from what the network needs, if that is known."""
    if summary.lower_bound is None:
        return []
    return [("cycles", summary.lower_bound.compare(summary.cycles))]


def _peaks(peaks: Sequence[int], size: int) -> str:
    from ..console.timing_report import short_bytes

    cores = ", ".join(short_bytes(peak) for peak in peaks)
    return f"{cores or '0 B'} of {short_bytes(size)} each, by core"


def _packing(summary: ProgramSummary) -> list[tuple[str, str]]:
    """Return how near the placement of buffers is to the best, if there are any."""
    from ..console.timing_report import short_bytes

    if summary.local_packing is None:
        return []
    placed = short_bytes(max(summary.placed_local_bytes))
    text = f"at most {placed} of a core, at most {summary.local_packing:.2f} times its peak"
    return [("local memory, placed", text)]


def _rates(summary: ProgramSummary) -> str:
    rate = f"{summary.inferences_per_second:,.0f}"
    if summary.batch and summary.batch > 1:
        rate += f", {summary.samples_per_second:,.0f} samples"
    return rate
