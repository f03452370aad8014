"""`python -m tests.networks.front`: what the front by the share of multiply-accumulates in 4 bits keeps of the CIFAR-10
network, and writes the table of README.md.

Layers are chosen by `smalti.compiler`'s search on calibration images; the test images are only measured, once, for what
was chosen. Cycles are those of the simulated programs. A second row of each share has weights rounded and biases
corrected on the calibration images after the choice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from smalti.compiler import Accuracy
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.mixed_precision.mac_front import FrontPoint, MacFront, front_by_macs
from smalti.compiler.model_calibration import calibrate_model
from smalti.compiler.sensitivity.quantized_network import NetworkSource
from smalti.compiler.sensitivity.sensitivity_log import qtable_text
from smalti.passes.top.calibration_table import CalibrationTable, write_table

from .figures import README, Figures, Row
from .quantization import IMAGES, MODEL, Images

FIGURES = Figures(
    "front",
    ("share in 4 bits", "weights", "top-1", "agreement", "cosine", "cycles", "CPU s"),
    keys=2,
    words=2,
)
WIDE, NARROW = "int8", "w4a4"
_PART = 250
"""So many images are run at once."""


def front(images: Images, table: CalibrationTable, count: int) -> MacFront:
    """The front, chosen on the first `count` calibration images."""
    data = {"input": images.calibration[:count]}
    tables = {"table": table.rows}
    source = NetworkSource(str(MODEL), "default-8c", data, tables, four_bits=table.four_bits)
    return front_by_macs(source, WIDE, NARROW)


def rows(images: Images, count: int, *, rounds: bool) -> Iterator[Row]:
    """The rows of each share: as it was chosen and, if it `rounds`, with weights rounded and biases corrected after."""
    data = {"input": images.calibration}
    table = calibrate_model(MODEL, data, method="mse", four_bits="mse-i4")
    start = time.process_time()
    found = front(images, table, count)
    seconds = time.process_time() - start
    accuracies = {"nearest": Accuracy()}
    if rounds:
        accuracies["AdaRound, biases corrected"] = Accuracy("adaround", True, data)
    with tempfile.TemporaryDirectory() as folder:
        calibration, qtable = Path(folder) / "cifar10.calibration", Path(folder) / "cifar10.qtable"
        write_table(table, calibration)
        for point in found.points:
            qtable.write_text(_qtable(point, found))
            for name, accuracy in accuracies.items():
                options = CompileOptions(qtable=qtable, calibration=calibration, accuracy=accuracy)
                start = time.process_time()
                logits = _logits(options, images.test)
                took = time.process_time() - start if accuracy.rounds_weights else seconds
                row = images.row(f"{point.macs_share:.1%}", name, logits, took)
                yield (*row[:-1], f"{point.run.cycles:,}", row[-1])


def _qtable(point: FrontPoint, found: MacFront) -> str:
    schemes = [(group, point.run.schemes.get(group.name, WIDE)) for group in found.groups]
    return qtable_text(schemes, WIDE, [])


def _logits(options: CompileOptions, test: np.ndarray) -> np.ndarray:
    compilation = start_from_model(MODEL, options)
    compilation.lower_to("tpu")
    parts = [
        run_ir(compilation.module, compilation.ctx, {"input": test[at : at + _PART]})["logits"]
        for at in range(0, len(test), _PART)
    ]
    return np.concatenate(parts)


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 where the images are not here."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.front")
    parser.add_argument("--images", type=int, help="how many test images (default: 2000)")
    parser.add_argument(
        "--choose-on", type=int, default=64, help="how many calibration images (default: 64)"
    )
    parser.add_argument("--round", action="store_true", help="round weights after the choice, too")
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    args = parser.parse_args(words)
    if not MODEL.is_file() or not IMAGES.is_file():
        print(
            "the CIFAR-10 network and its images are not here: set SMALTI_SHARED", file=sys.stderr
        )
        return 1
    measured: list[Row] = []
    for row in rows(Images.load(args.images), args.choose_on, rounds=args.round):
        measured.append(row)
        print(" | ".join(row), flush=True)
    if args.write:
        FIGURES.write(measured, [tuple(row[:2]) for row in measured], README)
    return 0


if __name__ == "__main__":
    sys.exit(main())
