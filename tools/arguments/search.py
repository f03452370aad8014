"""Arguments of commands that search: where points are measured, and the record of what was."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .files import OutputFile
from .model import positive

if TYPE_CHECKING:
    from ...compiler.search.executor import Executor


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --jobs, --scheduler, --timeout and --record."""
    group = parser.add_argument_group(
        "search", "the result is the same wherever points are measured, and after a kill"
    )
    group.add_argument(
        "--jobs", type=positive, default=1, metavar="N", help="processes that measure (default: 1)"
    )
    group.add_argument(
        "--scheduler",
        metavar="tcp://HOST:8786",
        help="measure on the workers of a Dask scheduler, which see the files under the same paths",
    )
    group.add_argument(
        "--timeout",
        type=positive,
        metavar="SECONDS",
        help="measure a point again, in another process, that takes longer",
    )
    group.add_argument(
        "--record",
        type=OutputFile,
        metavar="FILE",
        help="keep measurements in a file of JSON lines; a search that was killed goes on from it",
    )


def executor_of(args: argparse.Namespace) -> Executor:
    """Return where the arguments say that points are measured.

    Raises DiagnosticError if they contradict each other, or if the scheduler does not answer.
    """
    from ...compiler.search.executors import executor_at

    return executor_at(args.jobs, args.scheduler, args.timeout)
