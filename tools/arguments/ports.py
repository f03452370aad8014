"""Arguments about a program's inputs and outputs: what they hold, and in which form a run takes and gives them."""

from __future__ import annotations

import argparse
from typing import TypedDict

from ...backends.numerics.ports.port_format import LAYOUTS


class PortArguments(TypedDict):
    """What the arguments say of inputs and outputs, as `CompileOptions` takes it."""

    io_layout: str | None
    io_quantized: bool


def add_port_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --io-layout and --io-quantized."""
    group = parser.add_argument_group(
        "inputs and outputs",
        "what the program reads and writes; smalti run takes and gives the model's layout and floats all the same, "
        "converted by the host, unless --raw-io",
    )
    group.add_argument(
        "--io-layout",
        choices=LAYOUTS,
        help="layout of inputs and outputs with four axes: the model's own, N C H W, or channels last, as cameras give "
        "images (default: model, or what IR states)",
    )
    group.add_argument(
        "--io-quantized",
        action="store_true",
        help="let inputs and outputs hold what the device computes with, such as int8, where the network casts them "
        "right at its border (compare TPU-MLIR's --quant_input and --quant_output)",
    )


def ports_of(args: argparse.Namespace) -> PortArguments:
    """Return what these arguments say."""
    return {"io_layout": args.io_layout, "io_quantized": args.io_quantized}


def add_raw_io(parser: argparse.ArgumentParser) -> None:
    """Add --raw-io."""
    parser.add_argument(
        "--raw-io",
        action="store_true",
        help="take and give inputs and outputs as the program holds them, in its layout and types (default: the "
        "model's; smalti info shows both)",
    )
