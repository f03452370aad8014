"""Rounds the activations of a network in floats as the conversion to level tpu will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ...backends.numerics.quantization import activation_parameters
from ...backends.numerics.storage import LOOKUP_NAMES, integer_range
from ...dialects.network.traits import (
    FixedQuantization,
    GivesQuantization,
    KeepsOrder,
    Moves,
    RoundsResult,
)
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of
from ..top_to_tpu.builder.activation_ranges import range_in
from ..top_to_tpu.precision.float_results import float_results
from ..top_to_tpu.precision.schemes import Scheme

Parameters = tuple[float, int, int, int]
"""Scale, zero point, least and greatest integer."""


class RoundedActivations:
    """The integers that hold the values of a block whose layers are quantized by `schemes`, by their calibrated ranges.

    What a relu or clip alone reads has the integers of its result; what only moves elements, or takes the greatest,
    keeps those of its operand; what is in floats, or has no range, is not rounded.
    """

    def __init__(self, block: Block, schemes: Mapping[SSAValue, Scheme], network: Scheme) -> None:
        ops = list(block.ops)
        self.floats = set(float_results(ops))
        self._schemes = schemes
        self._network = network
        self._successors = _successors(ops)
        self._parameters: dict[SSAValue, Parameters | None] = {}

    def scheme_of(self, value: SSAValue) -> Scheme:
        """Return the scheme by which a layer makes a value; that of the network for its inputs."""
        return self._schemes.get(value, self._network)

    def is_quantized(self, value: SSAValue) -> bool:
        """Tell whether a layer makes the value in integers."""
        return self.scheme_of(value).quantizes and value not in self.floats

    def rounded(self, value: SSAValue, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of a value [S, shape...] as its integers stand for them: f32."""
        parameters = None if _keeps(value) else self._parameters_of(value)
        return numbers if parameters is None else _rounded(numbers, parameters)

    def narrowed(self, value: SSAValue, numbers: np.ndarray, scheme: Scheme) -> np.ndarray:
        """Return the rounded numbers of a value as a product by `scheme` reads them: in fewer bits, in the range that
        calibration has for 4 bits, if it says so, but for inputs of the network.
        """
        if scheme.inputs is None or isinstance(value, BlockArgument):
            return numbers
        element = element_of(value)
        while _keeps(value):
            assert isinstance(value.owner, Operation)
            value = value.owner.operands[0]
        parameters = self._parameters_of(value)
        if parameters is None:
            return numbers
        scale, zero_point, *steps = parameters
        low, high = ((step - zero_point) * scale for step in steps)
        if scheme.inputs == "i4" and isinstance(element, CalibratedType):
            least, most = element.range_of_4_bits
            low, high = max(low, least), min(high, most)
        narrow = activation_parameters(low, high, scheme.inputs)
        return _rounded(numbers, (*narrow, *integer_range(scheme.inputs)))

    def _parameters_of(self, value: SSAValue) -> Parameters | None:
        if value not in self._parameters:
            self._parameters[value] = self._of(value)
        return self._parameters[value]

    def _of(self, value: SSAValue) -> Parameters | None:
        if not self.is_quantized(value):
            return None
        scheme = self.scheme_of(value)
        storage = scheme.activations
        low, high = integer_range(storage)
        fixed = FixedQuantization.parameters_of(value.owner)
        if fixed is not None and storage in LOOKUP_NAMES and not scheme.symmetric:
            scale, zero_point = fixed
            return scale, zero_point + 128 + low, low, high
        element = element_of(self._successors.get(value, value))
        if not isinstance(element, CalibratedType):
            return None
        parameters = activation_parameters(
            *range_in(element, scheme),
            storage,
            symmetric=scheme.symmetric,
            power_of_two=scheme.power_of_two,
        )
        return (*parameters, low, high)


def _keeps(value: SSAValue) -> bool:
    """Tell whether a value has the integers of what it is made of."""
    return Moves.holds(value.owner) or KeepsOrder.holds(value.owner)


def _rounded(numbers: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Return what the integers nearest to numbers stand for."""
    scale, zero_point, low, high = parameters
    rounded = np.rint(numbers / np.float32(scale))
    np.clip(rounded, low - zero_point, high - zero_point, out=rounded)
    rounded *= np.float32(scale)
    return rounded


def _successors(ops: Iterable[Operation]) -> dict[SSAValue, SSAValue]:
    """Return the values that are rounded as another is, and that one."""
    found: dict[SSAValue, SSAValue] = {}
    for op in reversed(list(ops)):
        if not GivesQuantization.holds(op) or Moves.holds(op):
            continue
        for value in op.operands:
            if value.has_one_use() and RoundsResult.holds(value.owner):
                found[value] = found.get(op.results[0], op.results[0])
    return found
