"""Layers whose weights can be changed: products of an activation and constant weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from xdsl.ir import SSAValue

from ...dialects import top
from ...dialects.network.traits import SumsProducts
from ...dialects.quant.element_type import is_network_float, shape_of
from ..top.constant import weight_of
from ..top.fold_batch_norm import Product


@runtime_checkable
class SumsOfFactors(Protocol):
    """What an op of trait `SumsProducts` offers besides, so that its weights can be rounded on samples: it as products
    of matrices.
    """

    def factors(self, input: np.ndarray) -> np.ndarray:
        """Return what the weights are multiplied by, [groups, rows, depth]."""
        ...

    def weight_matrices(self, weight: np.ndarray) -> np.ndarray:
        """Return weights as [groups, depth, outputs of a group]."""
        ...

    def weight_of_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Return the weights of which `weight_matrices` makes `matrices`."""
        ...

    def sums(self, result: np.ndarray) -> np.ndarray:
        """Return a result as [groups, rows, outputs of a group]."""
        ...


@dataclass(frozen=True)
class WeightedLayer:
    """A product of `input` and the float constant `weight`, with a constant bias at most; `form` is the op, too."""

    op: top.TopOp
    form: SumsOfFactors
    channels: SumsProducts
    weight: top.WeightOp
    bias: top.WeightOp | None

    @staticmethod
    def of(op: object) -> WeightedLayer | None:
        """Return the layer that an op is; None if it is none."""
        product = Product.of(op)
        if product is None or not isinstance(product.op, SumsOfFactors):
            return None
        weight, bias = weight_of(product.weight), weight_of(product.bias)
        if weight is None or not is_network_float(weight.output.type):
            return None
        if bias is None and product.bias is not None:
            return None
        if product.channels.weight_axis < 0 and len(shape_of(weight.output)) != 2:
            return None
        return WeightedLayer(product.op, product.op, product.channels, weight, bias)

    @property
    def input(self) -> SSAValue:
        """The activation."""
        return self.op.operands[0]

    @property
    def weight_axis(self) -> int:
        """The axis of the weights along which the outputs lie."""
        return self.channels.weight_axis % len(shape_of(self.weight.output))

    def constants(self, weight: np.ndarray, bias: np.ndarray) -> Mapping[SSAValue, np.ndarray]:
        """Return other numbers for its constants, [1, shape...] by value."""
        found: dict[SSAValue, np.ndarray] = {self.weight.output: weight[None]}
        if self.bias is not None:
            found[self.bias.output] = bias[None]
        return found
