"""Finds how large values need be that only functions read which are flat beyond: 8 bits then need not reach further.

    %t = top.add "t" %inputs, %state            calibrated from -18000 to 18000
    %g = top.unary "g" %t kind = "sigmoid"      1 from 8 on, to 8 bits

A step of 140 would leave nothing of the gate. With %t between -8 and 8, and %inputs between these and the range of
%state further, its step is .07 and what is beyond saturates, as it does in the function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from ....dialects import top
from ....dialects.ir.weights import WeightStore
from ....dialects.network.constant import value_of
from ....dialects.network.traits import Moves
from ....dialects.quant import CalibratedType
from ....dialects.quant.element_type import element_of, is_network_float
from .float_results import Reader
from .given_quantization import constant_of

_FLAT_FROM = {"sigmoid": 8.0, "tanh": 4.5}
"""From which magnitude on a function is flat, to a tenth of the step that 8 bits of its result have."""


def saturated_bounds(
    ops: Sequence[Operation], floats: Mapping[SSAValue, Reader], store: WeightStore
) -> dict[SSAValue, float]:
    """Return the magnitudes beyond which the values that `ops` (of one block, in order) give may be cut. `floats` are
    the values that stay in floats, by reader: a pole, as of log(sigmoid(x)), tells apart what 8 bits do not.
    """
    found: dict[SSAValue, float] = {}
    for op in reversed(ops):
        for value in op.results:
            readers = [
                _bound_for(use.operation, use.index, found, floats, store) for use in value.uses
            ]
            known = [bound for bound in readers if bound is not None]
            if known and len(known) == len(readers):
                found[value] = max(known)
    return found


def _bound_for(
    user: Operation,
    index: int,
    found: Mapping[SSAValue, float],
    floats: Mapping[SSAValue, Reader],
    store: WeightStore,
) -> float | None:
    """Return how large operand `index` of `user` need be; None if there is no bound."""
    if isinstance(user, top.UnaryOp):
        if floats.get(user.output) is Reader.POLE:
            return None
        return _FLAT_FROM.get(user.kind.data)
    bound = found.get(user.results[0]) if user.results else None
    if bound is None:
        return None
    if isinstance(user, top.AddOp | top.SubOp):
        other = _magnitude(user.operands[1 - index], store)
        return None if other is None else bound + other
    return bound if Moves.holds(user) else None


def _magnitude(value: SSAValue, store: WeightStore) -> float | None:
    """Return the greatest magnitude of a value; None if it is not known."""
    element, weight = element_of(value), constant_of(value)
    if isinstance(element, CalibratedType):
        return max(abs(element.low), abs(element.high))
    if weight is None or not is_network_float(weight.output.type):
        return None
    return float(np.abs(value_of(weight, store)).max(initial=0))
