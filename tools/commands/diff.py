"""`smalti diff`: show what changed between two programs, per ONNX node."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile
from ..files_of_one_compile import warn_of_mixed_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...compiler.analysis.program_difference import (
        NodeDifference,
        NodeFigures,
        ProgramDifference,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti diff`."""
    parser.add_argument("before", type=InputFile, help="program file (.smalti)")
    parser.add_argument("after", type=InputFile, help="program file (.smalti) to compare with it")
    parser.add_argument(
        "--all", action="store_true", help="print the nodes that did not change, too"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE",
        help="write all nodes as .json or .csv, units in the column names",
    )


def run(args: argparse.Namespace) -> int:
    """Compare two programs and print the difference."""
    from ...backends.program import container
    from ...compiler.analysis.program_difference import compare_programs
    from ..console.tables import table_format, write_table

    if args.output:
        table_format(args.output)
    for path in (args.before, args.after):
        warn_of_mixed_files(path)
    difference = compare_programs(
        container.load(args.before), container.load(args.after), (args.before, args.after)
    )
    print(format_difference(difference, unchanged=args.all))
    if args.output:
        write_table(args.output, difference.to_json())
        print(f"differences written to {args.output}")
    return EXIT_FINE


def format_difference(difference: ProgramDifference, unchanged: bool = False) -> str:
    """Return a table of the nodes that changed, at most a hundred columns wide.

    The nodes whose cycles differ most come first; the sums stand at the end.
    """
    from ..console.tables import format_table
    from ..console.timing_report import short_bytes

    def cells(row: NodeDifference) -> list[str | tuple[str, ...]]:
        return [
            row.nodes,
            _change(row, lambda figures: f"{figures.instructions:,}"),
            _change(row, lambda figures: short_bytes(figures.bytes_read + figures.bytes_written)),
            _change(row, lambda figures: f"{figures.cycles:,.0f}"),
            f"{row.cycles:+,.0f}",
        ]

    lines = [
        f"{side}: {name}, {milliseconds:.4f} ms on {target}"
        for side, name, milliseconds, target in zip(
            ("before", "after "), difference.names, difference.milliseconds, difference.targets,
            strict=True,
        )
    ]  # fmt: skip
    rows = [row for row in difference.nodes if unchanged or row.changed]
    titles = ["node", "instructions", "bytes moved", "cycles", "change"]
    if rows:
        lines += ["", *format_table(titles, [cells(row) for row in [*rows, difference.total]])]
    same = sum(not row.changed for row in difference.nodes)
    return "\n".join([*lines, "", f"{len(difference.nodes) - same} nodes changed, {same} did not"])


def _change(row: NodeDifference, show: Callable[[NodeFigures], str]) -> str:
    """Return `12 → 34`, one figure if both are equal, or a dash for a program that lacks the node."""
    before, after = ("-" if of is None else show(of) for of in (row.before, row.after))
    return before if before == after else f"{before} → {after}"
