"""Imports discrete Fourier transforms: DFT, STFT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import Operator
from ...graph.value import Constant, Value, shape_of


def _number(node: Node, index: int, what: str) -> int | None:
    """Return optional input `index` as one number. Raises DiagnosticError if it is another number of numbers."""
    numbers = node.integers_of(index, what)
    if numbers is not None and len(numbers) != 1:
        raise node.error(f"{what} must be one number, it is {numbers}")
    return None if numbers is None else numbers[0]


def _dft(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import DFT; since opset 20 its axis is an input, and the last but one unless it is given."""
    value = node.input(0)
    rank, computed = len(shape_of(value)), node.optional(2)
    operands = [value]
    if node.opset < 20:
        axis = node.integer("axis", 1)
    elif computed is not None and not isinstance(computed, Constant):
        if node.optional(1) is not None or node.integer("onesided", 0):
            raise UnsupportedNodeError(
                "its axis is computed at run time, which says the shape of its result"
            )
        operands, axis = [value, computed], None
    else:
        given = _number(node, 2, "its axis")
        axis = -2 if given is None else given
    along: dict[str, Any] = {} if axis is None else {"axis": node.axis(axis, rank)}
    length = _number(node, 1, "its dft_length")
    if length is not None and length < 1:
        raise node.error(f"its dft_length must be positive, it is {length}")
    return [
        call(
            node,
            builder,
            "dft",
            *operands,
            **along,
            length=length or 0,
            inverse=bool(node.integer("inverse", 0)),
            one_sided=bool(node.integer("onesided", 0)),
        )
    ]


def _stft(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import STFT; its frames are as long as its window, or as frame_length says."""
    signal, window = node.input(0), node.optional(2)
    step, length = _number(node, 1, "its frame_step"), _number(node, 3, "its frame_length")
    if step is None:
        raise node.error("its frame_step is missing")
    if length is None:
        length = None if window is None else shape_of(window)[0]
    if length is None:
        raise node.error("it has neither a window nor a frame_length")
    if len(shape_of(signal)) == 2:
        name = builder.derived(node.output, "signal")
        signal = builder.reshape(signal, (*shape_of(signal), 1), name)
    operands = [signal] if window is None else [signal, window]
    one_sided = bool(node.integer("onesided", 1))
    return [call(node, builder, "stft", *operands, step=step, length=length, one_sided=one_sided)]


OPERATORS = {"DFT": Operator(_dft, "host"), "STFT": Operator(_stft, "host")}
"""The ops of this family."""
