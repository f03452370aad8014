"""`smalti experiments`: what policies of the runtime do with traffic, as one page with plots and tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import OutputFolder
from ..console.progress_bar import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti experiments`."""
    parser.add_argument(
        "name",
        choices=("auto-batching",),
        help="auto-batching: AUTO that goes from the CPU to an accelerator, and batching, in nine experiments",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFolder,
        required=True,
        metavar="DIR",
        help="folder for index.html and results.json, which is made if need be",
    )


def run(args: argparse.Namespace) -> int:
    """Run the experiments, write the page, and print the table."""
    import json

    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...backends.diagnostics.file_group import files_together
    from ...backends.diagnostics.files import write_text
    from ...backends.runtime.traffic.report import Report
    from ...compiler.pictures.figures import new_figure
    from ...compiler.serving.experiments import EXPERIMENTS, run_experiment
    from ...compiler.serving.experiments_page import COLUMNS, experiments_page, row_of
    from ..console.tables import format_table

    new_figure(1, 1)  # to say at once if pictures cannot be drawn
    folder = Path(args.output)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DiagnosticError(
            f"cannot make the folder: {error.strerror}", Place(file=str(folder))
        ) from None
    outcomes = []
    with progress_bar() as progress:
        for number, experiment in enumerate(EXPERIMENTS):
            progress("experiments", number, len(EXPERIMENTS))
            outcomes.append(run_experiment(experiment))
        page = experiments_page(outcomes)
    results = [
        {
            "experiment": each.experiment.name,
            "is_in_order": each.is_in_order,
            **Report(each.records).to_json(),
        }
        for each in outcomes
    ]
    with files_together(folder / "index.html") as temporary:
        write_text(temporary / "index.html", page)
        write_text(temporary / "results.json", json.dumps(results, indent=2) + "\n")
    shown = (0, 1, 2, 4, 5, 7)
    rows = [[row_of(each)[place] for place in shown] for each in outcomes]
    print("\n".join(format_table([COLUMNS[place] for place in shown], rows)))
    print(f"written: {folder / 'index.html'}")
    return EXIT_FINE
