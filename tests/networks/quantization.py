"""`python -m tests.networks.quantization`: what each method of quantization keeps of the CIFAR-10 network, beside ONNX
Runtime's static quantization, and writes the table of README.md.

Everything is chosen on the calibration images; the test images are only measured. Smalti's networks run in the tpu
interpreter, whose integers are those of the simulator.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import Accuracy
from smalti.compiler.calibration.clipping.method import method_named
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.model_calibration import calibrate_model
from smalti.passes.top.calibration_table import write_table

from tests.shared_files import SHARED

from .figures import README, Figures, Row
from .onnxruntime_int8 import quantized_model

MODEL = SHARED / "models" / "cifar10_mobilenetv2.onnx"
IMAGES = SHARED / "models" / "cifar10.npz"
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
FIGURES = Figures(
    "quantization",
    ("scheme", "method", "top-1", "agreement", "cosine", "CPU s"),
    keys=2,
    words=2,
)
_PART = 250
"""So many images are run at once."""


@dataclass(frozen=True)
class Images:
    """The network, its calibration images, and its test images with labels and float logits."""

    model: ModelProto
    calibration: np.ndarray
    test: np.ndarray
    labels: np.ndarray

    @staticmethod
    def load(test: int | None = None) -> Images:
        """The images in shared files, of the test images `test`, or all."""
        with np.load(IMAGES, allow_pickle=False) as data:
            return Images(
                onnx.load(MODEL),
                _normalized(data["calibration_images"]),
                _normalized(data["test_images"][:test]),
                data["test_labels"][:test],
            )

    @cached_property
    def logits(self) -> np.ndarray:
        """What the float network gives for the test images."""
        return run_onnx(self.model, {"input": self.test})["logits"]

    def row(self, scheme: str, method: str, logits: np.ndarray, seconds: float) -> Row:
        """How near other logits of the test images are to the float ones."""
        chosen, expected = logits.argmax(1), self.logits.argmax(1)
        cosine = (logits * self.logits).sum(1) / (
            np.linalg.norm(logits, axis=1) * np.linalg.norm(self.logits, axis=1)
        )
        return (
            scheme,
            method,
            f"{100 * (chosen == self.labels).mean():.2f}",
            f"{100 * (chosen == expected).mean():.2f}",
            f"{cosine.mean():.5f}",
            f"{seconds:.1f}",
        )


def _normalized(pixels: np.ndarray) -> np.ndarray:
    mean, deviation = (np.array(each, np.float32)[:, None, None] for each in (MEAN, DEVIATION))
    return ((pixels - mean) / deviation).astype(np.float32)


@dataclass(frozen=True)
class Method:
    """Ranges by a method of calibration, and what is done to weights and biases."""

    name: str
    calibration: str
    accuracy: Accuracy = Accuracy()  # noqa: RUF009

    def row(self, scheme: str, images: Images) -> Row:
        """What the network keeps; the seconds are those from the model to level tpu."""
        data = {"input": images.calibration}
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "cifar10.calibration"
            write_table(calibrate_model(images.model, data, method=self.calibration), table)
            accuracy = Accuracy(self.accuracy.rounding, self.accuracy.bias_correction, data)
            options = CompileOptions(scheme=scheme, calibration=table, accuracy=accuracy)
            compilation = start_from_model(images.model, options)
            compilation.lower_to("tpu")
        seconds = time.process_time() - start
        parts = [
            run_ir(compilation.module, compilation.ctx, {"input": images.test[at : at + _PART]})
            for at in range(0, len(images.test), _PART)
        ]
        logits = np.concatenate([part["logits"] for part in parts])
        return images.row(scheme, self.name, logits, seconds)


def methods(calibration: str) -> list[Method]:
    """The methods that are compared, from ranges by `calibration` on."""
    return [
        Method("min-max", "min-max"),
        Method(calibration, calibration),
        Method("+ bias correction", calibration, Accuracy(bias_correction=True)),
        Method("+ AdaRound", calibration, Accuracy("adaround")),
        Method("+ both", calibration, Accuracy("adaround", bias_correction=True)),
    ]


def onnxruntime_row(images: Images) -> Row:
    """ONNX Runtime's static quantization, as `quantized_model` says."""
    start = time.process_time()
    quantized = quantized_model(images.model, {"input": images.calibration})
    seconds = time.process_time() - start
    # Without graph optimizations, whose kernels of 8 bits saturate on some processors.
    parts = [
        run_onnx(quantized, {"input": images.test[at : at + _PART]}, intermediates=True)["logits"]
        for at in range(0, len(images.test), _PART)
    ]
    logits = np.concatenate(parts)
    return images.row("int8", "ONNX Runtime, min-max", logits, seconds)


def aimet_row(images: Images, python: str, scheme: str, iterations: int) -> Row:
    """AIMET in the Python of another environment, with AdaRound of so many iterations a layer, or without."""
    with tempfile.TemporaryDirectory() as folder:
        data, logits = Path(folder) / "images.npz", Path(folder) / "logits.npy"
        np.savez(data, calibration=images.calibration, test=images.test)
        script = Path(__file__).with_name("aimet_peer.py")
        words = [MODEL, data, WEIGHT_BITS[scheme], iterations, logits]
        run = subprocess.run(
            [python, script, *map(str, words)], check=True, capture_output=True, text=True
        )
        seconds = float(run.stdout.splitlines()[-1])
        name = f"AIMET, AdaRound {iterations} iterations" if iterations else "AIMET, mse"
        return images.row(scheme, name, np.load(logits).reshape(-1, 10), seconds)


WEIGHT_BITS = {"int8": 8, "w4a8": 4}
"""The schemes that AIMET is measured by, with its bits of weights."""
AIMET_ITERATIONS = 1000
"""A tenth of AIMET's default, which takes hours here."""
SCHEMES: dict[str, str] = {"int8": "mse", "w4a8": "mse", "w4a4": "mse-i4"}
"""The schemes that are measured, and the method of calibration that fits each."""


def rows(images: Images, schemes: Sequence[str], aimet: str | None) -> list[Callable[[], Row]]:
    """Functions that measure a row each, in order; those of AIMET if the Python that has it is given."""
    found: list[Callable[[], Row]] = [lambda: images.row("f32", "float", images.logits, 0.0)]
    for scheme in schemes:
        if scheme == "int8":
            found.append(lambda: onnxruntime_row(images))
        if aimet is not None and scheme in WEIGHT_BITS:
            found += [
                lambda scheme=scheme, count=count: aimet_row(images, aimet, scheme, count)
                for count in (0, AIMET_ITERATIONS)
            ]
        found += [
            lambda method=method, scheme=scheme: method.row(scheme, images)
            for method in methods(method_named(SCHEMES[scheme]).name)
        ]
    return found


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 where the images are not here."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.quantization")
    parser.add_argument("schemes", nargs="*", metavar="SCHEME", help=f"of {', '.join(SCHEMES)}")
    parser.add_argument("--images", type=int, help="how many test images (default: 2000)")
    parser.add_argument(
        "--aimet", metavar="PYTHON", help="measure AIMET too, which this Python has (aimet-onnx)"
    )
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    args = parser.parse_args(words)
    unknown = [name for name in args.schemes if name not in SCHEMES]
    if unknown:
        parser.error(f"no scheme {', '.join(unknown)}; there are {', '.join(SCHEMES)}")
    if not MODEL.is_file() or not IMAGES.is_file():
        print(
            "the CIFAR-10 network and its images are not here: set SMALTI_SHARED", file=sys.stderr
        )
        return 1
    images = Images.load(args.images)
    measured = []
    for measure in rows(images, args.schemes or list(SCHEMES), args.aimet):
        measured.append(measure())
        print(" | ".join(measured[-1]), flush=True)
    if args.write:
        FIGURES.write(measured, [tuple(row[:2]) for row in measured], README)
    return 0


if __name__ == "__main__":
    sys.exit(main())
