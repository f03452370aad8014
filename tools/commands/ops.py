"""`smalti ops`: list the accepted ONNX operators, or the engine of a target that computes each op."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile

if TYPE_CHECKING:
    from ...compiler.analysis.legality import Row

_LEGEND = """\
matrix, vector: the engine that computes it; host: the host does, between transfers
transfers: it only moves data, in loads and stores; removed: nothing is left of it; no: it cannot be compiled"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti ops`."""
    parser.add_argument(
        "--target",
        type=InputFile,
        help="the ops of the top dialect instead, and for each type the engine of this target that computes "
        "them: every op's example is compiled, which takes a minute",
    )
    parser.add_argument(
        "--op",
        action="append",
        default=[],
        metavar="NAME",
        help="with --target: of this op only, as top.conv2d; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE",
        help="with --target: write the table as .json or .csv",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table of operators, or of a target's engines."""
    from ...backends.diagnostics.diagnostic import DiagnosticError

    if args.target is not None:
        return _legality(args)
    for flag, what in (("-o", args.output), ("--op", args.op)):
        if what:
            raise DiagnosticError(
                f"{flag} is for the table of a target, and none is given", hint="say --target NAME"
            )
    return _operators(args)


def _operators(args: argparse.Namespace) -> int:
    """Print the table of ONNX operators."""
    from ...compiler.onnx_import.importer import supported_operators

    rows = supported_operators()
    if args.json:
        import json

        print(
            json.dumps(
                [
                    {"operator": name, "since": list(since), "runs": engine}
                    for name, since, engine in rows
                ]
            )
        )
        return EXIT_FINE
    name_width = max(len(name) for name, _, _ in rows)
    engine_width = max(len(engine) for _, _, engine in rows)
    print(
        f"{'operator':<{name_width}}  {'runs':<{engine_width}}  versions (opset in which each began)"
    )
    for name, since, engine in rows:
        print(f"{name:<{name_width}}  {engine:<{engine_width}}  {', '.join(map(str, since))}")
    print()
    print("runs: on which engine of a core; folded, removed: nothing is left of it in the program;")
    print("      transfers: it only moves data, in loads and stores")
    print(
        "Ops that ONNX defines by functions of these are accepted too, and If, Loop and Scan whose"
    )
    print("lengths are known, and any op whose inputs are all constants.")
    return EXIT_FINE


def _legality(args: argparse.Namespace) -> int:
    """Print the table of a target, and write it if a file is given."""
    from ...compiler.analysis.legality import legality_table
    from ..console.tables import table_format, write_table

    if args.output:
        table_format(args.output)
    rows = legality_table(args.target, args.op)
    content = {"target": args.target, "rows": [cell for row in rows for cell in row.cells()]}
    if args.json:
        import json

        print(json.dumps(content))
    else:
        print(format_legality(args.target, rows))
    if args.output:
        write_table(args.output, content)
        if not args.json:
            print(f"\ntable written to {args.output}")
    return EXIT_FINE


def format_legality(target: str, rows: Sequence[Row]) -> str:
    """Return the table as text: a line per op and case, an engine per type.

    Where nothing computes an op, a number refers to the reason below the table.
    """
    from ...compiler.analysis.legality import TYPES
    from ..console.tables import format_table

    reasons: dict[str, int] = {}
    lines: list[list[str]] = []
    for row in rows:
        cells = [f"{row.op} ({row.case})" if row.case else row.op]
        for verdict in row.verdicts:
            number = reasons.setdefault(verdict.reason, len(reasons) + 1) if verdict.reason else ""
            cells.append(f"{verdict.engine} {number:<1}")
        lines.append(cells)
    titles = ["op", *(f"{each}  " for each in TYPES)]
    notes = [f"{number:>2}  {reason}" for reason, number in reasons.items()]
    return "\n".join(
        [f"target {target}", "", *format_table(titles, lines), "", *notes, "", _LEGEND]
    )
