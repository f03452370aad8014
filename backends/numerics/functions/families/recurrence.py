"""Recurrent layers of f64: engines compute those of f32 and less, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...recurrence import ACTIVATIONS, DIRECTIONS, GATES, Activation, Recurrence
from ...recurrence import FUNCTIONS as ACTIVATIONS_OF
from ...storage import name_of
from ..function import (
    FLOATS,
    Arrays,
    Attributes,
    AttributeValue,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_rank,
    check_shape,
    check_storage,
    stored,
    taken,
)

_OPERANDS = ("x", "weights", "recurrence", "bias", "lengths", "hidden")
OPERANDS: Mapping[str, Sequence[str]] = {
    "lstm": (*_OPERANDS, "cell", "peepholes"),
    "gru": _OPERANDS,
    "rnn": _OPERANDS,
}
"""The operands of each kind of layer, all of which a call must give."""

PARAMETERS: Mapping[str, Parameter] = {
    "direction": Parameter(str, "forward", tuple(DIRECTIONS)),
    "activations": Parameter(str, None, tuple(ACTIVATIONS), is_list=True),
    "alpha": Parameter(float, (), is_list=True),
    "beta": Parameter(float, (), is_list=True),
    "clip": Parameter(float, 0.0),
}
"""The attributes of all kinds of layers; clip is 0 for none."""
_FLAGS = {"lstm": "input_forget", "gru": "linear_before_reset"}


def check_activations(kind: str, attributes: Attributes, directions: int) -> None:
    """Raise FunctionError unless there are activations for each direction, with parameters for each or none, and clip
    is not negative.
    """
    wanted = ACTIVATIONS_OF[kind] * directions
    if len(attributes["activations"]) != wanted:
        raise FunctionError(f"{wanted} activations are needed, got {attributes['activations']}")
    for name in ("alpha", "beta"):
        needs = any(name in ACTIVATIONS[each] for each in attributes["activations"])
        if len(attributes[name]) != (wanted if needs else 0):
            raise FunctionError(
                f"{name} must have {wanted if needs else 0} numbers, got {len(attributes[name])}"
            )
    if attributes["clip"] < 0:
        raise FunctionError(f"clip must be positive, or 0 for none, got {attributes['clip']}")


def shapes_beside_weights(
    directions: int, batch: int, hidden: int, gates: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the operands of a layer of any kind other than its inputs and weights, by name."""
    return {
        "bias": (directions, 2 * gates),
        "lengths": (batch,),
        "hidden": (directions, batch, hidden),
        "cell": (directions, batch, hidden),
        "peepholes": (directions, 3 * hidden),
    }


def layer_of(kind: str, attributes: Attributes) -> Recurrence:
    """Return the layer that attributes say."""
    kinds = attributes["activations"]
    alpha, beta = (attributes[name] or (0.0,) * len(kinds) for name in ("alpha", "beta"))
    functions = [Activation(*each) for each in zip(kinds, alpha, beta, strict=True)]
    flags = {flag: attributes[flag] for flag in _FLAGS.values() if flag in attributes}
    clip = attributes["clip"] or None
    return Recurrence(kind, attributes["direction"], functions, clip, **flags)


def check_lengths(lengths: np.ndarray, steps: int) -> None:
    """Raise FunctionError unless all lengths of sequences lie between 0 and `steps`."""
    if np.any(lengths < 0) or np.any(lengths > steps):
        raise FunctionError(f"lengths must lie between 0 and {steps}, got {lengths.tolist()}")


def _infer(kind: str) -> Callable[[Kinds, Attributes], list[TensorKind]]:
    names = OPERANDS[kind]

    def infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        named = dict(zip(names, taken(operands, *names), strict=True))
        x = named["x"]
        check_storage("x", x, FLOATS)
        for name in ("x", "weights", "recurrence"):
            check_rank(name, named[name], 3)
        steps, batch, inputs = x.shape
        directions, hidden = len(DIRECTIONS[attributes["direction"]]), named["recurrence"].shape[2]
        gates = GATES[kind] * hidden
        shapes = {
            "weights": (directions, gates, inputs),
            "recurrence": (directions, gates, hidden),
            **shapes_beside_weights(directions, batch, hidden, gates),
        }
        for name in names[1:]:
            check_shape(name, named[name], shapes[name])
            check_storage(name, named[name], ("i32",) if name == "lengths" else (x.storage,))
        check_activations(kind, attributes, directions)
        last = TensorKind((directions, batch, hidden), x.storage)
        sequence = TensorKind((steps, *last.shape), x.storage)
        return [sequence, last, last] if kind == "lstm" else [sequence, last]

    return infer


def _compute(kind: str) -> Callable[[Arrays, Attributes], list[np.ndarray]]:
    def compute(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
        named = {name: array[None] for name, array in zip(OPERANDS[kind], arrays, strict=True)}
        x, weights, recurrence = (named.pop(name) for name in OPERANDS[kind][:3])
        check_lengths(named["lengths"][0], x.shape[1])
        results = layer_of(kind, attributes).compute(x, weights, recurrence, **named)
        return [stored(each[0], name_of(x.dtype)) for each in results.values()]

    return compute


def _example(kind: str) -> tuple[tuple[TensorKind, ...], dict[str, AttributeValue]]:
    """Return operands of two steps of one sequence, three inputs and two hidden units."""
    gates = 2 * GATES[kind]
    shapes = {
        "x": (2, 1, 3), "weights": (1, gates, 3), "recurrence": (1, gates, 2),
        "bias": (1, 2 * gates), "lengths": (1,), "peepholes": (1, 6),
    }  # fmt: skip
    kinds = tuple(
        TensorKind(shapes.get(name, (1, 1, 2)), "i32" if name == "lengths" else "f32")
        for name in OPERANDS[kind]
    )
    chosen = {"lstm": ("sigmoid", "tanh", "tanh"), "gru": ("sigmoid", "tanh"), "rnn": ("tanh",)}
    return kinds, {"activations": chosen[kind]}


def _function(kind: str, words: str) -> Function:
    flags = {_FLAGS[kind]: Parameter(bool, False)} if kind in _FLAGS else {}
    return Function(
        kind,
        f"{words}, as top.{kind}; all its operands are given, and clip is 0 for none.",
        _infer(kind),
        _compute(kind),
        {**PARAMETERS, **flags},
        compares=True,
        example=_example(kind),
        advice="cast its operands to FLOAT before: engines compute layers of f32",
    )


FUNCTIONS = (
    _function("lstm", "An LSTM: sequence [T,D,B,H], hidden and cell [D,B,H]"),
    _function("gru", "A GRU: sequence [T,D,B,H], hidden [D,B,H]"),
    _function("rnn", "A simple RNN: sequence [T,D,B,H], hidden [D,B,H]"),
)
"""The functions of this family."""
