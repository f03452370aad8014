"""`python -m tests.networks NAME out.onnx`: writes a network's model; `python -m tests.networks --list` names them."""

from __future__ import annotations

import argparse
import sys

import onnx

from .catalog import LARGER, NETWORKS

_ALL = NETWORKS | LARGER


def main(words: list[str] | None = None) -> int:
    """The exit code: 0, or 1 where the network's file is not here."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=_ALL, metavar="NAME")
    parser.add_argument("output", nargs="?", metavar="FILE", help="where the .onnx file goes")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default: 0)")
    parser.add_argument("--list", action="store_true", help="name the networks")
    args = parser.parse_args(words)
    if args.list:
        print("\n".join(_ALL))
        return 0
    if args.name is None or args.output is None:
        parser.error("give NAME and FILE, or --list")
    network = _ALL[args.name]
    if not network.is_here:
        print(f"{args.name}: {network.file} is not here", file=sys.stderr)
        return 1
    onnx.save(network.make(args.seed), args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
