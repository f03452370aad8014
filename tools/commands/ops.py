"""`smalti ops`: the ONNX operators accepted, per opset, and where each runs."""

from __future__ import annotations

import argparse

from ..command_line import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `smalti ops`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the table of operators."""
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
    print(f"{'operator':<22} {'runs':<8} versions (opset in which each began)")
    for name, since, engine in rows:
        print(f"{name:<22} {engine:<8} {', '.join(map(str, since))}")
    return EXIT_FINE
