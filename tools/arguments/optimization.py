"""Arguments that say how hard a compilation tries to make the program fast."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .model import natural, positive

if TYPE_CHECKING:
    from ...compiler.compilation.optimization import Optimization


def add_optimization_arguments(parser: argparse.ArgumentParser) -> None:
    """Add -O, --optimize, --on-chip, --multicast-weights, --split-factor and --memory-effort."""
    group = parser.add_argument_group(
        "optimization",
        "shorthand for options of tile-plan and tile-order-engines, which --print-pipeline shows; results are the same",
    )
    group.add_argument(
        "-O",
        dest="optimization_level",
        type=int,
        choices=(0, 1, 2),
        default=2,
        metavar="LEVEL",
        help="0: one layer after the other through global memory, easy to read; 1: tensors stay on chip, weights are "
        "multicast and loads run ahead, each layer is divided by itself; 2 (default): all layers are divided together "
        "(compare TPU-MLIR's --opt: 1 groups layers simply, 2 by a search over the network)",
    )
    group.add_argument(
        "--optimize",
        choices=("latency", "throughput"),
        help="latency (default): the cycles of one run; throughput: inferences per time when the program runs again "
        "and again, with the samples of a batch divided over cores if that is estimated to be faster; runs do not "
        "overlap, so with one sample the program is the same (PERFORMANCE_HINT of OpenVINO)",
    )
    group.add_argument(
        "--on-chip",
        action=argparse.BooleanOptionalAction,
        help="whether tensors between layers may stay in local memories (default: from -O1 on)",
    )
    group.add_argument(
        "--multicast-weights",
        action=argparse.BooleanOptionalAction,
        help="whether cores load the weights that they share once, for all (default: from -O1 on, if the target can; "
        "-multicast-weights of Qualcomm's qaic-exec)",
    )
    group.add_argument(
        "--split-factor",
        type=positive,
        metavar="N",
        help="divide a layer into at most N parts (default: as many as cores; -ols of qaic-exec asks for more parts, "
        "this for fewer)",
    )
    group.add_argument(
        "--memory-effort",
        type=natural,
        metavar="N",
        help="among how many loads ahead a core's DMA engine may choose, which fill local memory (default: 64, 0 at "
        "-O0; -mos of qaic-exec asks for less memory, as a small N does)",
    )


def optimization_of(args: argparse.Namespace) -> Optimization:
    """Return what these arguments say."""
    from ...compiler.compilation.optimization import Optimization

    return Optimization(
        args.optimization_level,
        args.on_chip,
        args.multicast_weights,
        args.split_factor,
        args.memory_effort,
        args.optimize,
    )
