"""Measures schemes of quantization on a trained network, for the tables of `schemes.md`.

    python -m tests.networks.schemes digits|cifar10 [NAME ...]

prints a row for each scheme: how many predictions on the test images are those of the float network, the mean cosine
of the logits, top-1, and the cycles of an inference on the default target, or on one that multiplies f8. The tpu
interpreter computes the results, whose integers are those of the simulator to the bit.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import onnx
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.model import CompiledModel
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES

from tests.shared_files import SHARED


@dataclass(frozen=True)
class Trained:
    """A network with its images: it is fed (pixel - `mean`) / `deviation`, by channel."""

    model: str
    images: str
    input: str
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


NETWORKS = {
    "digits": Trained("digits_mobilenet.onnx", "digits.npz", "image", (0.0,), (16.0,)),
    "cifar10": Trained(
        "cifar10_mobilenetv2.onnx",
        "cifar10.npz",
        "input",
        (125.3, 123.0, 113.9),
        (63.0, 62.1, 66.7),
    ),
}


TARGETS = {"f8e4m3": "bm1690-8c", "f8e5m2": "bm1690-8c"}
"""The targets of schemes that the default one cannot compute by."""


def row(
    name: str, network: Trained, model: bytes, images: dict[str, np.ndarray], exact: np.ndarray
) -> str:
    """Return the row of a scheme, as Markdown; `exact` are the logits of the float network on the test images."""
    calibration = {network.input: images["calibration"]}
    options = CompileOptions(TARGETS.get(name), calibration=calibration, scheme=name)
    compilation = start_from_model(_parsed(model), options)
    compilation.lower_to("tpu")
    (found,) = run_ir(compilation.module, compilation.ctx, {network.input: images["test"]}).values()
    cycles = CompiledModel(compilation.assemble(), {}).profile().cycles
    agreement = np.mean(found.argmax(axis=1) == exact.argmax(axis=1))
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(exact, axis=1)
    cosine = np.mean((found * exact).sum(axis=1) / lengths)
    top1 = np.mean(found.argmax(axis=1) == images["labels"])
    return f"| `{name}` | {agreement:.2%} | {cosine:.5f} | {top1:.2%} | {cycles:,} |"


def main(names: list[str]) -> None:
    """Print the rows of some schemes, or of all, on the network that stands first."""
    network = NETWORKS[names[0]]
    model = (SHARED / "models" / network.model).read_bytes()
    images: dict[str, np.ndarray] = {}
    with np.load(SHARED / "models" / network.images) as arrays:
        for part in ("calibration", "test"):
            channels_last = arrays[f"{part}_images"].transpose(0, 2, 3, 1).astype(np.float32)
            scaled = (channels_last - np.float32(network.mean)) / np.float32(network.deviation)
            images[part] = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
        images["labels"] = arrays["test_labels"]
    (exact,) = run_onnx(_parsed(model), {network.input: images["test"]}).values()
    print("| scheme | agreement | cosine | top-1 | cycles |\n| --- | --- | --- | --- | --- |")
    for name in names[1:] or SCHEMES:
        print(row(name, network, model, images, exact), flush=True)


def _parsed(model: bytes) -> onnx.ModelProto:
    return onnx.load_from_string(model)


if __name__ == "__main__":
    main(sys.argv[1:])
