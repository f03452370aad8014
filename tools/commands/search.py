"""`smalti search`: pick a scheme for each layer, the least cycles with which the outputs stay as good as asked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...passes.top_to_tpu.precision.schemes import SCHEMES
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import OutputFile, check_files
from ..arguments.model import add_shape_arguments, sizes
from ..arguments.quality import add_quality_arguments, checked_judge, samples_of
from ..arguments.search import add_search_arguments, executor_of
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...compiler.mixed_precision.candidates import Run
    from ...compiler.mixed_precision.scheme_search import SchemeSearch
    from ...compiler.sensitivity.quantized_network import NetworkSource


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti search`."""
    add_quality_arguments(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--at-least",
        metavar="GOAL",
        help="cos=0.999: the mean cosine of the outputs; agreement=99.5%%: the share of equal decisions; metric=X: "
        "that of --metric; all on the calibration data",
    )
    what.add_argument(
        "--front-by",
        choices=("macs",),
        help="macs: what is lost least with each share of the multiply-accumulates in few bits, of two schemes "
        "(default: int8 and w4a4)",
    )
    parser.add_argument(
        "--shares",
        type=percents,
        metavar="P[,P...]",
        help="percent of the multiply-accumulates, for --front-by (default: 50,70,85,95)",
    )
    parser.add_argument(
        "--scheme",
        action="append",
        choices=tuple(SCHEMES),
        metavar="SCHEME",
        help=f"schemes to choose from, of {', '.join(SCHEMES)}; may be repeated (default: all); for --front-by two, "
        "that of more bits first",
    )
    group = parser.add_argument_group("files to write")
    group.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE",
        help="the qtable; of --front-by one for each share, which stands before the suffix: m.50.qtable",
    )
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


def percents(text: str) -> tuple[float, ...]:
    """Parse percents with commas between them as shares, as an argparse type."""
    shares = tuple(float(each.removesuffix("%")) / 100 for each in text.split(","))
    if not all(0 < share < 1 for share in shares):
        raise argparse.ArgumentTypeError(f"'{text}' has a share that is not between 0 and 100")
    return shares


def run(args: argparse.Namespace) -> int:
    """Search, print the front and write the files."""
    check_files(args)
    if args.front:
        from ..console.tables import table_format

        table_format(args.front)
    if args.front_by is not None:
        _run_front(args)
    else:
        _run_goal(args)
    return EXIT_FINE


def _run_front(args: argparse.Namespace) -> None:
    """Search the front by the share of multiply-accumulates."""
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...compiler.mixed_precision.mac_front import SHARES, front_by_macs
    from ..console.mac_front import print_front, write_front

    schemes = tuple(dict.fromkeys(args.scheme or ("int8", "w4a4")))
    if len(schemes) != 2:
        raise DiagnosticError(
            f"a front is between two schemes, and there {'is' if len(schemes) == 1 else 'are'} {len(schemes)}",
            Place(name="--front-by macs"),
            hint="give --scheme twice, that of more bits first: --scheme int8 --scheme w4a4",
        )
    with executor_of(args) as executor, progress_bar() as progress:
        found = front_by_macs(
            _source(args),
            *schemes,
            args.shares or SHARES,
            executor=executor,
            record=args.record,
            progress=progress,
        )
    print_front(found)
    write_front(args, found)


def _source(args: argparse.Namespace) -> NetworkSource:
    """Return what the arguments say that networks are made of and judged by."""
    from ...compiler.sensitivity.quantized_network import NetworkSource, network_at_top
    from ...compiler.sensitivity.sensitivity_data import first_samples, threshold_tables
    from ...compiler.sensitivity.threshold_tables import GIVEN

    judge = checked_judge(args)
    module, ctx = network_at_top(args.model, sizes(args))
    data = first_samples(module, samples_of(args, module, ctx), args.inference_num)
    tables = threshold_tables(args.calibration, (), module, ctx, data)
    rows = {name: table.rows for name, table in tables.items()}
    four_bits = tables[GIVEN].four_bits
    return NetworkSource(
        str(args.model), str(args.target), data, rows, sizes(args), judge, four_bits
    )


def _run_goal(args: argparse.Namespace) -> None:
    """Search the least cycles that reach a goal."""
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...compiler.mixed_precision.goal import Goal
    from ...compiler.mixed_precision.scheme_search import search_schemes

    if args.shares:
        raise DiagnosticError(
            "--shares are those of a front", hint="give --front-by macs in place of --at-least"
        )
    goal = Goal.parse(args.at_least)
    goal.check(args.metric)
    schemes = tuple(dict.fromkeys(args.scheme or SCHEMES))
    with executor_of(args) as executor, progress_bar() as progress:
        found = search_schemes(
            _source(args), goal, schemes, executor=executor, record=args.record, progress=progress
        )
    _print(found)
    _write(args, found)


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
