"""Arguments of `smalti run` that ask where the time goes, and what they print and write."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .files import OutputFile

if TYPE_CHECKING:
    from ...backends.simulator.timing.timing_result import Timing


def add_profile_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --profile, --profile-by, --profile-output, --trace and --timeline."""
    parser.add_argument(
        "--profile",
        action="store_true",
        help="print where the time goes: by ONNX node, and by core and engine",
    )
    parser.add_argument(
        "--profile-by",
        metavar="KEYS",
        help="in one table by these of node, op, core, engine instead, such as node,engine",
    )
    parser.add_argument(
        "--profile-output",
        type=OutputFile,
        metavar="FILE",
        help="write the profile (by node, op, core and engine) as .json or .csv, units in the column names",
    )
    parser.add_argument(
        "--trace",
        type=OutputFile,
        metavar="FILE",
        help="write what ran when as .json for Perfetto (ui.perfetto.dev) or chrome://tracing",
    )
    parser.add_argument(
        "--timeline",
        type=OutputFile,
        metavar="FILE",
        help="draw what ran when as .svg: a lane for each engine of each core, colored by layer",
    )


def choose_mode(args: argparse.Namespace) -> str:
    """Return the mode of a run: that of --mode; without it "functional", or what a profile or trace needs.

    Raises DiagnosticError if a profile is asked for in a mode that counts no cycles, or if one of its arguments is
    wrong.
    """
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...backends.simulator.profile import parse_keys
    from ..console.tables import table_format

    timed = args.profile or args.profile_by or args.profile_output or args.trace or args.timeline
    if timed and args.mode == "functional":
        raise DiagnosticError(
            "--mode functional counts no cycles for a profile, trace or timeline",
            hint="use --mode timing or both",
        )
    if args.profile_by:
        parse_keys(args.profile_by)
    if args.profile_output:
        table_format(args.profile_output)
    if args.trace and Path(args.trace).suffix != ".json":
        raise DiagnosticError(
            "a trace is a JSON file", Place(file=args.trace), hint="end its name in .json"
        )
    if args.timeline and Path(args.timeline).suffix != ".svg":
        raise DiagnosticError(
            "a timeline is an SVG picture",
            Place(file=args.timeline),
            hint="end its name in .svg",
        )
    if args.mode or not timed:
        return args.mode or "functional"
    return "both" if args.inputs else "timing"


def report_profile(args: argparse.Namespace, timing: Timing) -> None:
    """Print and write the profile, the trace and the timeline, if they were asked for."""
    from ...backends.simulator.profile import KEYS, parse_keys, profile
    from ..console.tables import write_table
    from ..console.timing_report import format_profile

    keys = parse_keys(args.profile_by) if args.profile_by else None
    if args.profile or (keys and not args.profile_output):
        for by in [keys] if keys else [("node",), ("core", "engine")]:
            print()
            print(format_profile(profile(timing, by)))
    if args.profile_output:
        write_table(args.profile_output, profile(timing, keys or KEYS).to_json())
        print(f"profile written to {args.profile_output}")
    if args.trace:
        import json

        from ...backends.diagnostics.files import write_text
        from ...backends.simulator.trace import trace

        write_text(args.trace, json.dumps(trace(timing), separators=(",", ":")) + "\n")
        print(f"trace written to {args.trace}: open it in ui.perfetto.dev or chrome://tracing")
    if args.timeline:
        from ...backends.diagnostics.files import write_text
        from ...backends.simulator.timeline_picture import timeline_picture

        write_text(args.timeline, timeline_picture(timing))
        print(f"timeline written to {args.timeline}")
