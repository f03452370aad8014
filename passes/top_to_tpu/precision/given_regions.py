"""Finds the values for which a pre-quantized network decides itself whether integers or floats hold them, also in INT8:
what it computes between the values that it dequantizes and those that it quantizes.

    %a = top.dequantize "a" %q ...
    %s = top.add "s" %a, %b ...              floats, as %a and %b: nothing quantizes %s
    %m = top.mul "m" %s, %third ...          u8, as %p: rounded once, from floats
    %p = top.quantize "p" %m ...

An op that became several at import, such as a mean of tensors or a pool over three axes, rounds where the network does,
not between them as well. Calibration decides on what leads to such values from the network's own inputs in floats, and
from them through float weights to its outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation, SSAValue

from ....dialects import top
from ....dialects.network.traits import SumsProducts
from ....dialects.quant.element_type import element_of, is_network_float, is_quantized
from .given_quantization import constant_of, integer_element


class _Path(IntEnum):
    """What lies between a value and the quantized values that it is made from, or that are made from it."""

    FLOAT_WEIGHTS = 1
    """Products with weights in floats are among what makes the value from quantized values."""
    RETURNED = 2
    """Some of the results that are made from the value are the network's outputs, without such products before."""
    QUANTIZED = 3
    """Nothing but ops of quantized values, up to these on all sides."""


def given_regions(ops: Iterable[Operation]) -> set[SSAValue]:
    """Return those floats that `ops` (of one block, in order) give for which the network's own quantization decides.

    These are made from dequantized values and constants alone, and read on the way to quantized values alone; or to
    outputs, too, if no product on the way has float weights. Whatever an op gives that reads or makes values with more
    than 8 bits or several scales is one of them as well, because 8 bits would lose what the network keeps.
    """
    listed = list(ops)
    made, read = _made_from(listed), _read_by(listed)
    found = {
        value
        for value, path in made.items()
        if read.get(value) is _Path.QUANTIZED
        or (path is _Path.QUANTIZED and read.get(value) is _Path.RETURNED)
    }
    for op in listed:
        if isinstance(op, top.QuantizeOp):
            if integer_element(element_of(op.output)) is None:
                found.add(op.input)
        elif not isinstance(op, top.DequantizeOp) and any(map(_is_finer, op.operands)):
            found.update(op.results)
    return found


def _is_finer(value: SSAValue) -> bool:
    """Tell whether a value, no constant, is dequantized from more than 8 bits, or with several scales."""
    owner = value.owner
    if not isinstance(owner, top.DequantizeOp) or constant_of(value) is not None:
        return False
    return integer_element(element_of(owner.input)) is None


def _made_from(ops: Iterable[Operation]) -> Mapping[SSAValue, _Path]:
    """Return the floats that are made from dequantized values and constants alone."""
    found: dict[SSAValue, _Path] = {}
    for op in ops:
        if isinstance(op, top.DequantizeOp):
            if constant_of(op.output) is None:
                found[op.output] = _Path.QUANTIZED
            continue
        if not op.results or not is_network_float(op.results[0].type):
            continue
        operands = [
            value
            for value in op.operands
            if constant_of(value) is None and is_network_float(value.type)
        ]
        if operands and all(value in found for value in operands):
            least = min(found[value] for value in operands)
            found[op.results[0]] = _Path.FLOAT_WEIGHTS if _has_float_weights(op) else least
    return found


def _read_by(ops: Iterable[Operation]) -> Mapping[SSAValue, _Path]:
    """Return the floats whose readers all lead to quantized values, or to outputs without float weights before."""
    found: dict[SSAValue, _Path] = {}
    for op in reversed(list(ops)):
        for value in op.results:
            paths = [_path_through(use.operation, found) for use in value.uses]
            known = [path for path in paths if path is not None]
            if known and len(known) == len(paths):
                found[value] = min(known)
    return found


def _path_through(user: Operation, found: Mapping[SSAValue, _Path]) -> _Path | None:
    """Return where `user`, a reader of a value, leads to; None if to neither of both."""
    if isinstance(user, top.QuantizeOp):
        return _Path.QUANTIZED
    if isinstance(user, ReturnOp) or not is_network_float(user.results[0].type):
        return _Path.RETURNED
    path = found.get(user.results[0])
    return None if path is _Path.RETURNED and _has_float_weights(user) else path


def _has_float_weights(op: Operation) -> bool:
    """Tell whether an op is a product with constant weights that the network has in floats."""
    channels = SumsProducts.of(op)
    if channels is None:
        return False
    weight = constant_of(getattr(op, channels.weight))
    return weight is not None and not is_quantized(weight.output.type)
