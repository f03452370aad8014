"""`python -m tests.networks.real`: measures models that packages ship, and writes the table of models.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.shared_files import SHARED

from .figures import MODELS_PAGE, Figures
from .model_file import HEADER, Arrays, ModelFile, row

FOLDER = SHARED / "models" / "real"
FIGURES = Figures("real", HEADER, keys=2, words=2)
SAMPLES = 4
"""How many operands the ranges of INT8 are calibrated with; none of them is the one that is compared."""


Make = Callable[[np.random.Generator], Arrays]


def smooth(name: str, *shape: int) -> Make:
    """Return a function that makes floats between 0 and 1, smooth along the last axis."""

    def make(rng: np.random.Generator) -> Arrays:
        values = np.cumsum(rng.normal(0, 0.2, shape), axis=-1)
        return {name: (1 / (1 + np.exp(-values))).astype(np.float32)}

    return make


def page(name: str, height: int, width: int) -> Make:
    """Return a function that makes a picture of lines of dark glyphs on white, [1, 3, height, width]: where there is no
    text, a detector's probabilities are rounding errors, of which even two runs of ONNX Runtime differ by 1e-3.
    """

    def make(rng: np.random.Generator) -> Arrays:
        values = np.ones((height, width), np.float32)
        for top in range(16, height - 24, 32):
            for left in range(12, width - 24, 9):
                glyph = np.kron(rng.random((5, 3)) < 0.6, np.ones((3, 2), bool))
                values[top : top + 15, left : left + 6][glyph] = 0
        return {name: np.broadcast_to(values, (1, 3, height, width)).copy()}

    return make


def sound(name: str, *shape: int, **states: tuple[int, ...]) -> Make:
    """Return a function that makes a sum of tones sampled at 16 kHz, and states of zeros."""

    def make(rng: np.random.Generator) -> Arrays:
        seconds = np.arange(np.prod(shape)) / 16000
        signal = rng.normal(0, 0.01, seconds.shape)
        for _ in range(5):
            signal += rng.uniform(0.05, 0.2) * np.sin(6.28 * rng.uniform(80, 2000) * seconds)
        zeros = {each: np.zeros(size, np.float32) for each, size in states.items()}
        return {name: signal.astype(np.float32).reshape(shape), **zeros}

    return make


def integers(name: str, bound: int, dtype: type, *shape: int) -> Make:
    """Return a function that makes integers from 0 to below a bound."""

    def make(rng: np.random.Generator) -> Arrays:
        return {name: rng.integers(0, bound, shape).astype(dtype)}

    return make


MODELS: dict[str, tuple[Make, dict[str, object]]] = {
    "aecmos": (sound("input", 1, 3, 40, 160, h0=(4, 1, 64)), {}),
    "basic_pitch": (sound("serving_default_input_2:0", 1, 43844, 1), {}),
    "magika": (integers("bytes", 256, np.int32, 1, 2048), {}),
    "mtcnn_pnet": (smooth("input_1", 1, 48, 48, 3), {}),
    "mtcnn_rnet": (smooth("input_2", 1, 24, 24, 3), {}),
    "ppocrv5_cls": (smooth("x", 1, 3, 48, 192), {}),
    "ppocrv6_tiny_det": (page("x", 160, 160), {}),
    "ppocrv6_tiny_rec": (smooth("x", 1, 3, 48, 320), {}),
    "silero_vad_16k": (sound("input", 1, 512, state=(2, 1, 128)), {"sr": 16000}),
    "tashkeel_rawi_int8": (integers("input", 40, np.int64, 1, 32), {}),
}
"""How operands of each file are made, and which of its inputs are constants."""


def model_file(name: str) -> ModelFile:
    """Return a model with its operands."""
    make, constants = MODELS[name]
    inputs, *samples = (make(np.random.default_rng(seed)) for seed in range(SAMPLES + 1))
    path = FOLDER / f"{name}.onnx"
    return ModelFile(name, path, inputs, tuple(samples), path.name, constants)


def main(words: Sequence[str] | None = None) -> int:
    """Always 0: models that are not here are named and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.real", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models (default: all)")
    parser.add_argument(
        "--write", action="store_true", help=f"put the rows into {MODELS_PAGE.name}"
    )
    args = parser.parse_args(words)
    unknown = [name for name in args.names if name not in MODELS]
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(MODELS)}")
    rows = []
    for name in args.names or MODELS:
        if not Path(FOLDER / f"{name}.onnx").is_file():
            print(f"{name}: its file is not here", file=sys.stderr)
            continue
        rows.append(row(model_file(name)))
        if args.write:
            order = [(each, f"{each}.onnx") for each in MODELS]
            FIGURES.write([rows[-1]], order, MODELS_PAGE)
    if not args.write:
        print(FIGURES.text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
