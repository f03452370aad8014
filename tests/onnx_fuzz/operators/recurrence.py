"""Recurrent ops: all directions, activations, states and lengths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.onnx_fuzz.draw import Draw

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
"""How many activations a direction has."""
ACTIVATIONS = ("Sigmoid", "Tanh", "Relu", "Softsign")


def recurrent(kind: str, draw: Draw) -> None:
    """A short sequence, whose optional operands and results are there or not."""
    steps, samples, width, hidden = (draw.integer(1, high) for high in (4, 3, 5, 4))
    direction = draw.choice((None, "forward", "reverse", "bidirectional"))
    directions = 2 if direction == "bidirectional" else 1
    rows = GATES[kind] * hidden
    inputs = [
        draw.operand(np.float32, shape=(steps, samples, width)),
        draw.operand(np.float32, shape=(directions, rows, width)),
        draw.operand(np.float32, shape=(directions, rows, hidden)),
        draw.operand(np.float32, shape=(directions, 2 * rows)) if draw.chance(0.6) else "",
        "",
        draw.operand(np.float32, shape=(directions, samples, hidden)) if draw.chance(0.5) else "",
    ]
    if draw.chance(0.3):
        inputs[4] = draw.new(draw.rng.integers(1, steps + 1, samples).astype(np.int32))
    if kind == "LSTM":
        state = draw.operand(np.float32, shape=(directions, samples, hidden))
        inputs.append(state if draw.chance(0.5) else "")
        if draw.chance(0.3):
            inputs.append(draw.operand(np.float32, shape=(directions, 3 * hidden)))
    functions = [draw.choice(ACTIVATIONS) for _ in range(FUNCTIONS[kind] * directions)]
    draw.node(
        kind,
        inputs,
        outputs=draw.integer(1, 3 if kind == "LSTM" else 2),
        hidden_size=hidden,
        direction=direction,
        activations=functions if draw.chance(0.4) else None,
        clip=draw.number(0.5, 3) if draw.chance(0.2) else None,
        linear_before_reset=draw.choice((None, 0, 1)) if kind == "GRU" else None,
    )


DRAWS: dict[str, Callable[[Draw], None]] = {kind: partial(recurrent, kind) for kind in GATES}
