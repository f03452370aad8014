"""The demo: a MobileNetV2 for handwritten digits, from the ONNX file to accuracy and cycles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...backends.diagnostics.files import write_bytes_atomically
from ...backends.diagnostics.progress import Progress, silent
from ...dialects.level import STAGES
from ..compilation.artifacts import Artifacts
from ..compilation.compilation import start_from_model
from ..compilation.compile_options import CompileOptions
from ..inputs.arrays import write_npz

FOLDER = Path(__file__).parent
MODEL = FOLDER / "digits_mobilenet.onnx"
DATA = FOLDER / "digits.npz"
INPUT, OUTPUT = "image", "logits"
COSTLIEST = 5


@dataclass(frozen=True)
class DemoReport:
    """What the demo found. Accuracies are fractions of the test images; bytes are of global memory.

    `nodes`: the ONNX nodes that cost most cycles, each with "node", "nodes" (the fused nodes one by one), "cycles" and
    "share" (of the cycles of all nodes).
    """

    target: str
    images: int
    float_accuracy_onnxruntime: float
    float_accuracy_top: float
    int8_accuracy_simulator: float
    cycles: int
    milliseconds: float
    utilization: float
    bytes_read: int
    bytes_written: int
    files: dict[str, str]
    nodes: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object whose keys are the fields."""
        return dict(vars(self))


def load_images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load calibration images [128,1,8,8] and test images [600,1,8,8] as f32 in 0..1, and the test labels [600]."""
    with np.load(DATA, allow_pickle=False) as data:
        calibration, test = data["calibration_images"], data["test_images"]
        return _scaled(calibration), _scaled(test), data["test_labels"]


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """Scale pixels from 0..16 to 0..1, as in the training of the network."""
    return pixels.astype(np.float32) / 16


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of rows of `logits` [N, classes] whose largest element is at the label's place."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def run_demo(
    folder: Path,
    *,
    target: str = "default-8c",
    cores: int | None = None,
    progress: Progress = silent,
) -> DemoReport:
    """Run the whole path; write the network, its calibration images and the files of each level to `folder`.

    Raises DiagnosticError if the target or the number of cores is wrong, or if the folder cannot be written.
    """
    from ...backends.cpu.session import run_onnx
    from ...backends.interpreter.top import run_top
    from ...backends.program import container
    from ...backends.simulator.simulate import simulate
    from ...backends.targets.target import load_target

    load_target(target)  # a mistake in its name is told before anything is made
    calibration, images, labels = load_images()
    reference = run_onnx(MODEL, {INPUT: images})[OUTPUT]

    options = CompileOptions(target, cores, "int8", {INPUT: calibration})
    compilation = start_from_model(MODEL, options, progress=progress)
    top = run_top(compilation.module, compilation.ctx.weights, {INPUT: images})[OUTPUT]

    folder.mkdir(parents=True, exist_ok=True)
    files = {"network": folder / "digits.onnx", "images": folder / "digits.npz"}
    write_bytes_atomically(files["network"], MODEL.read_bytes())
    write_npz(files["images"], {INPUT: calibration})
    files |= Artifacts(folder / "digits.smalti", STAGES).write(compilation)

    # From here on only the program file's bytes count.
    program = container.load(files["program"])
    outputs = simulate(
        program,
        {INPUT: images},
        mode="functional",
        progress=lambda done, total: progress("simulate", done, total),
    ).outputs
    timing = simulate(program, None, mode="timing").timing
    assert outputs is not None and timing is not None
    costs = timing.node_costs()
    total = sum(cost.cycles for cost in costs.values()) or 1
    return DemoReport(
        target=program.target.name,
        images=len(images),
        float_accuracy_onnxruntime=accuracy(reference, labels),
        float_accuracy_top=accuracy(top, labels),
        int8_accuracy_simulator=accuracy(outputs[OUTPUT], labels),
        cycles=timing.cycles,
        milliseconds=timing.milliseconds,
        utilization=timing.utilization,
        bytes_read=timing.bytes_read,
        bytes_written=timing.bytes_written,
        files={stage: str(path) for stage, path in files.items()},
        nodes=[
            {
                "node": key,
                "nodes": list(cost.nodes or (key,)),
                "cycles": round(cost.cycles),
                "share": cost.cycles / total,
            }
            for key, cost in list(costs.items())[:COSTLIEST]
        ],
    )
