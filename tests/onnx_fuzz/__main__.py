"""Compares Smalti with ONNX Runtime on random graphs.

python -m tests.onnx_fuzz [--graphs 500] [--seed 0] [--level top] [--only OP ...] [--save FOLDER]

Each graph has a seed of its own, the first one plus its number; a complaint names it, and
`python -m tests.onnx_fuzz --graphs 1 --seed SEED --save FOLDER` runs that graph alone and writes it as an ONNX file.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import onnx

from tests.onnx_fuzz.check import LEVELS, complaint, draw_graph
from tests.onnx_fuzz.operators import DRAWS


def main() -> None:
    """Run the graphs, and print the complaints and how often each op was drawn; the exit code is 1 for a complaint."""
    parser = argparse.ArgumentParser(prog="python -m tests.onnx_fuzz", description=__doc__)
    parser.add_argument("--graphs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first graph")
    parser.add_argument("--level", choices=list(LEVELS), action="append", help="all by default")
    parser.add_argument("--only", nargs="+", default=(), choices=list(DRAWS), metavar="OP")
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help="write the graphs as ONNX files"
    )
    options = parser.parse_args()
    drawn: Counter[str] = Counter()
    bad = 0
    for seed in range(options.seed, options.seed + options.graphs):
        graph = draw_graph(seed, tuple(options.only))
        drawn.update(graph.operators)
        if options.save:
            onnx.save(graph.model, options.save / f"{seed}.onnx")
        for level in options.level or LEVELS:
            told = complaint(graph, level)
            if told:
                bad += 1
                print(f"seed {seed} at {level}: {told}", flush=True)
                break
    print(f"{options.graphs} graphs, {bad} with a complaint, {len(drawn)} ops")
    rare = sorted(name for name in options.only or DRAWS if drawn[name] < options.graphs / 100)
    print(f"in less than one of 100 graphs: {', '.join(rare) or 'none'}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
