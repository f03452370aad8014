"""Exports spectra."""

from __future__ import annotations

import numpy as np

from .....dialects import top
from ...function_call import attributes_of
from ...graph_writer import GraphWriter

_AXIS_SINCE = 20
"""The opset from which on the axis is an operand."""


def _dft(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    value, *axis = map(graph.tensor, op.inputs)
    length = None
    if given["length"]:
        length = graph.constant(np.array(given["length"], np.int64), "length")
    if not axis:
        axis = [graph.constant(np.array(given["axis"], np.int64), "axis")]
    return graph.node(
        "DFT",
        value,
        length,
        *axis,
        since=_AXIS_SINCE,
        inverse=int(given["inverse"]),
        onesided=int(given["one_sided"]),
    )


def _stft(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    signal, *window = op.inputs
    step, length = (
        graph.constant(np.array(given[name], np.int64), name) for name in ("step", "length")
    )
    own = window[0] if window else None
    return graph.node("STFT", signal, step, own, length, onesided=int(given["one_sided"]))


EXPORTERS = {"dft": _dft, "stft": _stft}
"""The exporters of this family, by the function's name."""
