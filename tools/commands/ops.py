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
    return EXIT_FINE
