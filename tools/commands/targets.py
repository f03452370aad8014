"""`smalti targets`: list the machines that one can compile for."""

from __future__ import annotations

import argparse

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti targets`."""
    parser.add_argument(
        "target", type=InputFile, nargs="?", help="a target's name or TOML file: show it whole"
    )


def run(args: argparse.Namespace) -> int:
    """Print a line per known target, or one target in full."""
    from ...backends.targets.target import known_targets, load_target

    if args.target:
        import json

        print(json.dumps(json.loads(load_target(args.target).to_json()), indent=2))
        return EXIT_FINE
    width = max(len(name) for name in known_targets())
    print(
        f"{'target':<{width}} {'cores':>5} {'matrix unit':>11} {'lanes':>5}"
        f" {'local':>9} {'GHz':>5} {'GB/s':>6}  description"
    )
    for name in known_targets():
        target = load_target(name)
        matrix = f"{target.matrix.rows}x{target.matrix.columns}"
        local = f"{target.local_memory.size_bytes // 1024} KiB"
        print(
            f"{name:<{width}} {target.cores:>5} {matrix:>11} {target.vector.lanes['i8']:>5} {local:>9} "
            f"{target.clock_ghz:>5g} {target.global_memory.gigabytes_per_second:>6g}  {target.description}"
        )
    return EXIT_FINE
