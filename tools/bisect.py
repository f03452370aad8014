"""`smalti-bisect`: find the first pass of a pipeline, and its first rewrite, that makes a fault show."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .arguments.command_line import EXIT_FINE
from .arguments.fault import add_fault_arguments, experiment_of, predicate_of
from .arguments.parser import Parser
from .console.progress_bar import progress_bar
from .program import add_program_arguments, run_program

_EPILOG = """\
examples:
  smalti-bisect net.top.mlir -p "top-fold-shapes,my-pass,cse" --numerics random:0
  smalti-bisect net.tile.mlir -p "tile-order-engines,tile-assign-addresses" --cycles-above 20000
"""


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="smalti-bisect",
        description="Run more and more of a pipeline until the fault shows; without a predicate: "
        "until it fails as it does now.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_fault_arguments(parser)
    add_program_arguments(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from ..compiler.debugging.bisection import first_pass, first_rewrite

    experiment = experiment_of(args)
    predicate = predicate_of(args, experiment)
    with progress_bar() as progress:
        culprit = first_pass(experiment, predicate, progress)
    print(f"pass {culprit.number + 1} of {len(experiment.passes)}: {culprit.text}")
    print(f"shows: {culprit.evidence}")
    with progress_bar() as progress:
        rewrite = first_rewrite(experiment, predicate, culprit, progress)
    if rewrite is None:
        print("the pass applies no patterns, or the fault shows without them")
    else:
        print(f"rewrite {rewrite.number} of {rewrite.total}: {rewrite.pattern} at {rewrite.place}")
    return EXIT_FINE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti-bisect` and return the exit code."""
    return run_program(_parser(), _run, argv)


if __name__ == "__main__":
    sys.exit(main())
