"""The LSTM of dynamic quantization: products of integers, whose scales are those of the values at run time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...quantization import dynamic_quantize_linear
from ...recurrence import DIRECTIONS, GATES, Activation, Recurrence, lstm_cell
from ...recurrence import FUNCTIONS as ACTIVATIONS_OF
from ..function import (
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_rank,
    check_shape,
    check_storage,
    taken,
)
from .recurrence import (
    PARAMETERS,
    check_activations,
    check_lengths,
    layer_of,
    shapes_beside_weights,
)

_OPERANDS: Sequence[str] = (
    "x", "weights", "recurrence", "weights_scale", "weights_zero_point", "recurrence_scale",
    "recurrence_zero_point", "bias", "lengths", "hidden", "cell", "peepholes",
)  # fmt: skip
_KIND = "lstm"
_BYTES = ("i8", "u8")


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    named: dict[str, TensorKind] = dict(zip(_OPERANDS, taken(operands, *_OPERANDS), strict=True))
    x, recurrence = named["x"], named["recurrence"]
    for name in ("x", "weights", "recurrence"):
        check_rank(name, named[name], 3)
    for name in ("weights", "recurrence"):
        check_storage(name, named[name], _BYTES)
        check_storage(f"{name}_zero_point", named[f"{name}_zero_point"], (named[name].storage,))
    for name in ("x", "weights_scale", "recurrence_scale", "bias", "hidden", "cell", "peepholes"):
        check_storage(name, named[name], ("f32",))
    check_storage("lengths", named["lengths"], ("i32",))
    steps, batch, inputs = x.shape
    directions, hidden = len(DIRECTIONS[attributes["direction"]]), recurrence.shape[1]
    gates = GATES[_KIND] * hidden
    shapes = {
        "weights": (directions, inputs, gates),
        "recurrence": (directions, hidden, gates),
        **shapes_beside_weights(directions, batch, hidden, gates),
    }
    for name, shape in shapes.items():
        check_shape(name, named[name], shape)
    for name in ("weights", "recurrence"):
        scale, point = named[f"{name}_scale"].shape, named[f"{name}_zero_point"].shape
        if scale not in ((directions,), (directions, gates)):
            raise FunctionError(
                f"{name}_scale must have shape {[directions]} or {[directions, gates]}, got {list(scale)}"
            )
        if point not in ((directions,), scale):
            raise FunctionError(
                f"{name}_zero_point must have shape {[directions]} or that of the scale, got {list(point)}"
            )
    check_activations(_KIND, attributes, directions)
    last = TensorKind((directions, batch, hidden), "f32")
    return [TensorKind((steps, directions, batch, hidden), "f32"), last, last]


class _Matrix(NamedTuple):
    """Weights [k, n] without their zero points, in f64, and their scales: [] or [n]."""

    steps: np.ndarray
    scale: np.ndarray

    def product(self, rows: np.ndarray) -> np.ndarray:
        """Quantize `rows` [m, k] by their range, and return their product with the weights [m, n] in f32.

        The sums of products of integers are exact, as i32 is at the sizes that fit it.
        """
        integers, scale, zero_point = dynamic_quantize_linear(rows)
        sums = (integers.astype(np.float64) - np.float64(zero_point)) @ self.steps
        return sums.astype(np.float32) * (scale * self.scale)


def _matrix(weights: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> _Matrix:
    return _Matrix(weights.astype(np.float64) - zero_point.astype(np.float64), scale)


def _compute(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    named: dict[str, np.ndarray] = dict(zip(_OPERANDS, arrays, strict=True))
    steps = named["x"].shape[0]
    check_lengths(named["lengths"], steps)
    layer = layer_of(_KIND, attributes)
    count, functions = ACTIVATIONS_OF[_KIND], layer.activations
    results = [
        _direction(
            layer, named, index, functions[index * count : (index + 1) * count], backward=backward
        )
        for index, backward in enumerate(DIRECTIONS[layer.direction])
    ]
    return [
        np.stack([each[result] for each in results], axis) for result, axis in enumerate((1, 0, 0))
    ]


def _direction(
    layer: Recurrence,
    named: dict[str, np.ndarray],
    index: int,
    functions: Sequence[Activation],
    *,
    backward: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute direction `index`: the hidden states [T,B,H], the last of them and the last cell states [B,H].

    All inputs up to the longest sequence share a scale, and so do the hidden states of a step; those of a sequence that
    has ended are 0 there. (ONNX Runtime may share out the sequences to threads, each with scales of its own.) The
    states of a sequence without steps are 0, as ONNX Runtime has them.
    """
    x, lengths = named["x"], named["lengths"]
    longest = int(lengths.max(initial=0))
    batch, size = x.shape[1], named["recurrence"].shape[1]
    weights, recurrence = (
        _matrix(*(named[f"{name}{part}"][index] for part in ("", "_scale", "_zero_point")))
        for name in ("weights", "recurrence")
    )
    order = _order(x.shape[0], lengths, backward=backward)
    columns = np.arange(batch)
    rows = x[order, columns][:longest].reshape(longest * batch, -1)
    of_inputs = weights.product(rows).reshape(longest, batch, -1)
    of_bias = np.add(*np.split(named["bias"][index], 2))
    hidden, cell = named["hidden"][index], named["cell"][index]
    last, last_cell = np.zeros_like(hidden), np.zeros_like(cell)
    ordered = np.zeros((x.shape[0], batch, size), np.float32)
    peepholes = named["peepholes"][index][None]
    for step in range(longest):
        total = of_inputs[step] + recurrence.product(hidden) + of_bias
        new, new_cell = (
            each[0] for each in lstm_cell(layer, total[None], cell[None], peepholes, functions)
        )
        runs = (step < lengths)[:, None]
        hidden = np.where(runs, new, np.float32(0))
        cell = np.where(runs, new_cell, cell)
        last, last_cell = np.where(runs, new, last), np.where(runs, new_cell, last_cell)
        ordered[step] = hidden
    return ordered[order, columns], last, last_cell


def _order(steps: int, lengths: np.ndarray, *, backward: bool) -> np.ndarray:
    """Return which step of each sequence is computed when, [T,B]: backward, from its last to its first; it is its own
    inverse.
    """
    forward = np.broadcast_to(np.arange(steps)[:, None], (steps, len(lengths)))
    return np.where(forward < lengths, lengths - 1 - forward, forward) if backward else forward


def _example() -> tuple[tuple[TensorKind, ...], dict[str, tuple[str, ...]]]:
    """Return operands of two steps of one sequence, three inputs and two hidden units."""
    shapes = {
        "x": (2, 1, 3), "weights": (1, 3, 8), "recurrence": (1, 2, 8), "bias": (1, 16),
        "lengths": (1,), "hidden": (1, 1, 2), "cell": (1, 1, 2), "peepholes": (1, 6),
    }  # fmt: skip
    storages = {"lengths": "i32"}
    for name in ("weights", "recurrence"):
        storages[name] = storages[f"{name}_zero_point"] = "i8"
    kinds = tuple(
        TensorKind(shapes.get(name, (1,)), storages.get(name, "f32")) for name in _OPERANDS
    )
    return kinds, {"activations": ("sigmoid", "tanh", "tanh")}


FUNCTIONS = (
    Function(
        "dynamic_quantize_lstm",
        "An LSTM with weights [D,I,4·H] and recurrence [D,H,4·H] of 8 bits, whose inputs and, at each step, hidden "
        "states are quantized to u8 by their range: sequence [T,D,B,H], hidden and cell [D,B,H], as top.lstm. Scales "
        "and zero points are for each direction, or for each column too. clip is 0 for none.",
        _infer,
        _compute,
        {
            **PARAMETERS,
            "input_forget": Parameter(bool, False),
        },
        compares=True,
        example=_example(),
        advice="give the LSTM with weights of floats: engines compute it",
    ),
)
"""The functions of this family."""
