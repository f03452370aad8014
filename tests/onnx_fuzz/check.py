"""Draws a graph by its seed, and compares what Smalti computes with what ONNX Runtime does."""

from __future__ import annotations

import contextlib
import io
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import onnx_backend

from tests.onnx_fuzz.draw import HALF, OPSETS, SINGLE, Draw, NodeRefused, difference, run_model
from tests.onnx_fuzz.operators import DRAWS

LEVELS = {"top": "CPU", "default-8c": "default-8c"}
"""The levels at which graphs are run, with the backend's device."""
MOST_NODES = 20


@dataclass(frozen=True)
class RandomGraph:
    """A graph, its inputs, and the results of ONNX Runtime."""

    seed: int
    model: ModelProto
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    tolerance: float
    steps: Mapping[str, float] = field(default_factory=dict)
    """By how much some results may differ: one step of what they are quantized to."""

    @property
    def operators(self) -> set[str]:
        """The ops of the graph."""
        nodes = self.model.graph.node
        return {f"{node.domain}.{node.op_type}".removeprefix(".") for node in nodes}


def draw_graph(seed: int, only: tuple[str, ...] = ()) -> RandomGraph:
    """Draw the graph of a seed: 1 to 20 nodes, of some ops or of all.

    Which ops are drawn is told by the seed too, so that each op stands in as many graphs as another.
    """
    rng = np.random.default_rng(seed)
    names = [name for name in DRAWS if not only or name in only]
    while True:
        precision = HALF if rng.random() < 0.2 else SINGLE
        draw = Draw(rng, int(rng.choice(OPSETS)), precision)
        wanted = int(rng.integers(1, MOST_NODES + 1))
        for _ in range(6 * wanted):
            if len(draw.nodes) >= wanted:
                break
            try:
                DRAWS[names[int(rng.integers(len(names)))]](draw)
            except NodeRefused:
                continue
        if not draw.nodes:
            continue
        model = draw.model()
        try:
            results = run_model(model, draw.fed())
        except NodeRefused:
            continue
        outputs = [value.name for value in model.graph.output]
        expected = dict(zip(outputs, results, strict=True))
        return RandomGraph(seed, model, draw.fed(), expected, precision.tolerance, draw.steps)


def complaint(graph: RandomGraph, level: str) -> str:
    """Return what is wrong with Smalti's results at a level, or nothing."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            prepared = onnx_backend.prepare(graph.model, LEVELS[level])
            found = prepared.run(graph.inputs)._asdict() if graph.expected else {}
    except DiagnosticError as error:
        return "\n".join([f"refused: {error}", *(f"  {note}" for note in error.notes)])
    except Exception:  # a mistake of Smalti, which is shown
        return f"internal error:\n{traceback.format_exc(limit=-6)}"
    wrong = []
    for name, expected in graph.expected.items():
        result, step = np.asarray(found[name]), graph.steps.get(name)
        if step is not None and result.dtype == expected.dtype and result.shape == expected.shape:
            distance = np.abs(result.astype(np.float64) - expected.astype(np.float64))
            if distance.max() <= 1.001 * step:
                continue
        error = difference(expected, result)
        if not error <= graph.tolerance:
            wrong.append(f"{name} differs by {error:.2g} ({expected.dtype}{list(expected.shape)})")
    return "; ".join(wrong)
