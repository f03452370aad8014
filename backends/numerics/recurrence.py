"""Recurrent layers in f32, or in f64 if their operands are, step by step: LSTM, GRU and the simple RNN (ONNX, the
operators of these names).

Arrays have a sample axis in front (numerics/sample_axis.py): x [S,T,B,I], weights [S,D,G·H,I], recurrence [S,D,G·H,H],
bias [S,D,2·G·H], lengths [S,B], states [S,D,B,H], peepholes [S,D,3·H], with T steps, B sequences, D directions, I
inputs, H hidden units and G gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import elementwise, matmul
from .sample_axis import as_rows
from .unary import unary

GATES: Mapping[str, int] = {"lstm": 4, "gru": 3, "rnn": 1}
"""The gates of each kind of layer, G: their weights lie one after the other (iofc, zrh)."""
FUNCTIONS: Mapping[str, int] = {"lstm": 3, "gru": 2, "rnn": 1}
"""How many activations each kind of layer has in a direction: f, g, h of the formulas."""
DIRECTIONS: Mapping[str, Sequence[bool]] = {
    "forward": (False,),
    "reverse": (True,),
    "bidirectional": (False, True),
}
"""For each direction of a layer, whether the steps go from the last to the first."""
SEQUENCE, HIDDEN, CELL = "sequence", "hidden", "cell"
"""The results: the hidden states of all steps, the last hidden state, the last cell state."""

_PLAIN = ("tanh", "sigmoid", "softsign", "softplus")
_OF_ALPHA = ("leaky_relu", "thresholded_relu", "elu")

ACTIVATIONS: Mapping[str, Sequence[str]] = {
    "relu": (),
    **dict.fromkeys(_PLAIN, ()),
    **dict.fromkeys(_OF_ALPHA, ("alpha",)),
    "hard_sigmoid": ("alpha", "beta"),
    "affine": ("alpha", "beta"),
    "scaled_tanh": ("alpha", "beta"),
}
"""The activations by name, with the parameters that each has: affine is alpha · x + beta, scaled_tanh is alpha ·
tanh(beta · x), the others are the functions of numerics/unary.py.
"""


@dataclass(frozen=True)
class Activation:
    """An activation of a recurrent layer; parameters that it does not have are 0."""

    kind: str
    alpha: float = 0.0
    beta: float = 0.0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Compute the function of each element of `x` [any shape]."""
        alpha, beta = x.dtype.type(self.alpha), x.dtype.type(self.beta)
        match self.kind:
            case "relu":
                return elementwise.clamp(x, 0.0, None)
            case "affine":
                return alpha * x + beta
            case "scaled_tanh":
                return alpha * unary(beta * x, "tanh")
            case _:
                return unary(x, self.kind, self.alpha, self.beta)


@dataclass(frozen=True)
class Recurrence:
    """A recurrent layer.

    `kind`: lstm, gru or rnn. `direction`: forward, reverse or bidirectional. `activations`: those of the first
    direction, then those of the second. `clip`: what enters an activation is kept within ±clip, but for the cell
    state of an LSTM, which ONNX Runtime does not clip. `input_forget`: the forget gate of an LSTM is 1 − input gate.
    `linear_before_reset`: the reset gate of a GRU scales the product with the hidden state, not the state.
    """

    kind: str
    direction: str
    activations: Sequence[Activation]
    clip: float | None = None
    input_forget: bool = False
    linear_before_reset: bool = False

    def compute(
        self,
        x: np.ndarray,
        weights: np.ndarray,
        recurrence: np.ndarray,
        *,
        bias: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        hidden: np.ndarray | None = None,
        cell: np.ndarray | None = None,
        peepholes: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Compute the results in f32, of f64 in f64: sequence [S,T,D,B,H], hidden and (of an LSTM) cell [S,D,B,H].

        A sequence that is shorter than T keeps its state after its last step, and its hidden states there are 0 in
        `sequence`; the other direction begins with its last step.
        """
        results: list[dict[str, np.ndarray]] = []
        dtype = np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
        functions = FUNCTIONS[self.kind]
        for index, backward in enumerate(DIRECTIONS[self.direction]):
            given = {
                name: value[:, index].astype(dtype, copy=False)
                for name, value in (
                    ("weights", weights),
                    ("recurrence", recurrence),
                    ("bias", bias),
                    ("hidden", hidden),
                    ("cell", cell),
                    ("peepholes", peepholes),
                )
                if value is not None
            }
            chosen = self.activations[index * functions : (index + 1) * functions]
            results.append(
                self._direction(x.astype(dtype, copy=False), given, lengths, chosen, backward)
            )
        axes = {SEQUENCE: 2, HIDDEN: 1, CELL: 1}
        return {name: np.stack([each[name] for each in results], axes[name]) for name in results[0]}

    def _direction(
        self,
        x: np.ndarray,
        given: Mapping[str, np.ndarray],
        lengths: np.ndarray | None,
        functions: Sequence[Activation],
        backward: bool,
    ) -> dict[str, np.ndarray]:
        """Compute one direction, whose tensors lack the axis D: sequence [S,T,B,H], hidden and cell [S,B,H]."""
        steps, batch = x.shape[1:3]
        size = given["recurrence"].shape[-1]
        samples = max(len(each) for each in (x, *given.values()))
        samples = samples if lengths is None else max(samples, len(lengths))
        step = _STEPS[self.kind](self, given, functions)
        of_inputs = _product(x, given["weights"][:, None])
        hidden, cell = (
            np.broadcast_to(
                given.get(name, np.zeros((1, batch, size), x.dtype)), (samples, batch, size)
            )
            for name in (HIDDEN, CELL)
        )
        sequence = np.zeros((samples, steps, batch, size), x.dtype)
        for index in reversed(range(steps)) if backward else range(steps):
            new_hidden, new_cell = step(of_inputs[:, index], hidden, cell)
            if lengths is None:
                hidden, cell = new_hidden, new_cell
                sequence[:, index] = hidden
                continue
            runs = (index < lengths)[..., None]
            sequence[:, index] = np.where(runs, new_hidden, x.dtype.type(0))
            hidden, cell = np.where(runs, new_hidden, hidden), np.where(runs, new_cell, cell)
        results = {SEQUENCE: sequence, HIDDEN: hidden}
        return {**results, CELL: cell} if self.kind == "lstm" else results

    def clipped(self, x: np.ndarray) -> np.ndarray:
        """Keep within ±clip what enters an activation."""
        return x if self.clip is None else elementwise.clamp(x, -self.clip, self.clip)


_Step = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Computes a step from the product of its inputs [S,B,G·H] and the states [S,B,H] before: the states after it."""


def lstm_cell(
    layer: Recurrence,
    total: np.ndarray,
    cell: np.ndarray,
    peepholes: np.ndarray,
    functions: Sequence[Activation],
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the hidden state and the cell state [S,B,H] after a step of an LSTM from the sums [S,B,4·H] of products
    and biases, the cell state before it, and `peepholes` [S,3·H].
    """
    f, g, h = functions
    of_input, of_output, of_forget = _gates(peepholes[:, None], 3)
    i, o, forget, c = _gates(total, 4)
    i = f(layer.clipped(i + of_input * cell))
    if layer.input_forget:
        forget = i.dtype.type(1) - i
    else:
        forget = f(layer.clipped(forget + of_forget * cell))
    cell = forget * cell + i * g(layer.clipped(c))
    o = f(layer.clipped(o + of_output * cell))
    return o * h(cell), cell


def _lstm(
    layer: Recurrence, given: Mapping[str, np.ndarray], functions: Sequence[Activation]
) -> _Step:
    size = given["recurrence"].shape[-1]
    of_bias = _joined_bias(given)
    peepholes = given.get("peepholes", np.zeros((1, 3 * size), given["recurrence"].dtype))

    def step(
        of_inputs: np.ndarray, hidden: np.ndarray, cell: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        total = of_inputs + _product(hidden, given["recurrence"]) + of_bias
        return lstm_cell(layer, total, cell, peepholes, functions)

    return step


def _gru(
    layer: Recurrence, given: Mapping[str, np.ndarray], functions: Sequence[Activation]
) -> _Step:
    f, g = functions
    size = given["recurrence"].shape[-1]
    recurrence = given["recurrence"]
    both = given.get("bias", np.zeros((1, 6 * size), recurrence.dtype))
    of_inputs_bias, of_hidden_bias = np.split(both[:, None], 2, -1)

    def step(
        of_inputs: np.ndarray, hidden: np.ndarray, cell: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        z, r, new = _gates(of_inputs + of_inputs_bias, 3)
        bias_z, bias_r, bias_new = _gates(of_hidden_bias, 3)
        of_z, of_r = _gates(_product(hidden, recurrence[:, : 2 * size]), 2)
        z, r = f(layer.clipped(z + of_z + bias_z)), f(layer.clipped(r + of_r + bias_r))
        if layer.linear_before_reset:
            new = new + r * (_product(hidden, recurrence[:, 2 * size :]) + bias_new)
        else:
            new = new + _product(r * hidden, recurrence[:, 2 * size :]) + bias_new
        new = g(layer.clipped(new))
        return (z.dtype.type(1) - z) * new + z * hidden, cell

    return step


def _rnn(
    layer: Recurrence, given: Mapping[str, np.ndarray], functions: Sequence[Activation]
) -> _Step:
    (f,) = functions
    of_bias = _joined_bias(given)

    def step(
        of_inputs: np.ndarray, hidden: np.ndarray, cell: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        total = of_inputs + _product(hidden, given["recurrence"]) + of_bias
        return f(layer.clipped(total)), cell

    return step


_STEPS: Mapping[
    str, Callable[[Recurrence, Mapping[str, np.ndarray], Sequence[Activation]], _Step]
] = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}


def _joined_bias(given: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the sum [S,1,G·H] of the biases of inputs and hidden state."""
    bias = given.get("bias")
    if bias is None:
        return np.zeros((1, 1, 1), given["recurrence"].dtype)
    of_inputs, of_hidden = np.split(bias[:, None], 2, -1)
    return of_inputs + of_hidden


def _gates(value: np.ndarray, count: int) -> list[np.ndarray]:
    return np.split(value, count, -1)


def _product(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute rows[S,...,m,k] · weights[S,...,n,k]ᵀ in f32, of f64 in f64."""
    columns = np.swapaxes(weights, -1, -2)
    if rows.dtype == np.float64:
        product = np.matmul(*as_rows(rows, columns))
    else:
        product = matmul.matmul(*as_rows(rows, columns), "f32")
    samples = max(len(rows), len(weights))
    return product.reshape(samples, *rows.shape[1:-1], columns.shape[-1])
