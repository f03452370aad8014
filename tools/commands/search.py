"""`smalti search`: pick a scheme for each layer, the least cycles with which the outputs stay as good as asked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...passes.top_to_tpu.precision.schemes import SCHEMES
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import OutputFile, check_files
from ..arguments.model import add_shape_arguments, sizes
from ..arguments.quality import add_quality_arguments, checked_judge
from ..arguments.search import add_search_arguments, executor_of
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...compiler.mixed_precision.candidates import Run
    from ...compiler.mixed_precision.scheme_search import SchemeSearch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti search`."""
    add_quality_arguments(parser)
    parser.add_argument(
        "--at-least",
        required=True,
        metavar="GOAL",
        help="cos=0.999: the mean cosine of the outputs; agreement=99.5%%: the share of equal decisions; metric=X: "
        "that of --metric; all on the calibration data",
    )
    parser.add_argument(
        "--scheme",
        action="append",
        choices=tuple(SCHEMES),
        metavar="SCHEME",
        help=f"schemes to choose from, of {', '.join(SCHEMES)}; may be repeated (default: all)",
    )
    group = parser.add_argument_group("files to write")
    group.add_argument("-o", "--output", type=OutputFile, metavar="FILE", help="the qtable")
    group.add_argument(
        "--front",
        type=OutputFile,
        metavar="FILE",
        help="all networks that were run, as .json or .csv",
    )
    group.add_argument(
        "--plot", type=OutputFile, metavar="FILE", help="picture: .svg, .png or .pdf"
    )
    add_search_arguments(parser)
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Search, print the front and write the files."""
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...compiler.mixed_precision.goal import Goal
    from ...compiler.mixed_precision.scheme_search import search_schemes
    from ...compiler.sensitivity.quantized_network import NetworkSource, network_at_top
    from ...compiler.sensitivity.sensitivity_data import (
        first_samples,
        load_samples,
        threshold_tables,
    )
    from ..console.tables import table_format

    check_files(args)
    if args.front:
        table_format(args.front)
    goal = Goal.parse(args.at_least)
    if goal.measure == "metric" and args.metric is None:
        raise DiagnosticError(
            "there is no metric", Place(name=f"--at-least {args.at_least}"), hint="give --metric"
        )
    judge = checked_judge(args)
    with executor_of(args) as executor, progress_bar() as progress:
        module, ctx = network_at_top(args.model, sizes(args))
        data = first_samples(
            module, load_samples(args.data, module, ctx, args.model), args.inference_num
        )
        tables = threshold_tables(args.calibration, (), module, ctx, data)
        rows = {name: table.rows for name, table in tables.items()}
        source = NetworkSource(str(args.model), str(args.target), data, rows, sizes(args), judge)
        schemes = tuple(dict.fromkeys(args.scheme or SCHEMES))
        found = search_schemes(
            source, goal, schemes, executor=executor, record=args.record, progress=progress
        )
    _print(found)
    _write(args, found)
    return EXIT_FINE


def _print(found: SchemeSearch) -> None:
    from ..console.tables import format_table

    for name, why in found.left_out.items():
        print(f"{name} is left out: {why}")
    has_metric = "metric" in found.chosen.measured
    titles = ["schemes", "cycles", "cosine", "agreement"] + ["metric"] * has_metric + [""]
    rows = [
        [
            _shares(run),
            f"{run.cycles:,}",
            f"{1 - run.measured['loss']:.6f}",
            f"{run.measured['agreement']:.2%}",
            *([f"{run.measured['metric']:.5g}"] if has_metric else []),
            "chosen" if run is found.chosen else "",
        ]
        for run in found.front
    ]
    print(f"the fastest of {len(found.runs)} networks that were run, for each quality:")
    print(*format_table(titles, rows), sep="\n")
    print(f"\n{found.goal}: {'reached' if found.reached else 'short of it, this is the best'}")
    print(f"{_shares(found.chosen)}: {found.chosen.cycles:,} cycles")


def _shares(run: Run) -> str:
    """Return how many layers have which scheme."""
    counts: dict[str, int] = {}
    for scheme in run.schemes.values():
        counts[scheme] = counts.get(scheme, 0) + 1
    ordered = sorted(counts, key=lambda each: -counts[each])
    return " + ".join(f"{counts[scheme]} {scheme}" for scheme in ordered)


def _write(args: argparse.Namespace, found: SchemeSearch) -> None:
    from ...backends.diagnostics.files import write_text
    from ...compiler.sensitivity.plots import plot_front
    from ...compiler.sensitivity.sensitivity_log import qtable_text
    from ..console.tables import write_table

    goal = found.goal
    if args.output:
        schemes = found.chosen.schemes
        names = list(schemes.values())
        others = max(dict.fromkeys(names), key=names.count)
        quality = (
            f"{goal.measure} {goal.quality(found.chosen.measured):.6f} on the calibration data"
        )
        comments = [f"smalti search: {found.chosen.cycles:,} cycles, {quality}"]
        rows = [(group, schemes[group.name]) for group in found.groups]
        write_text(args.output, qtable_text(rows, others, comments))
    if args.front:
        write_table(args.front, {"rows": [_row(each, found) for each in found.runs]})
    if args.plot:
        points = [(float(r.cycles), goal.quality(r.measured), r in found.front) for r in found.runs]
        plot_front(points, args.plot, goal.measure)


def _row(run: Run, found: SchemeSearch) -> dict[str, object]:
    return {
        "schemes": _shares(run),
        "cycles": run.cycles,
        "loss": run.measured["loss"],
        "agreement": run.measured["agreement"],
        "metric": run.measured.get("metric"),
        "on_front": run in found.front,
        "is_chosen": run is found.chosen,
    }
