"""Builds the constants of a `tpu` body from the weights of `top`: in floats, or quantized."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.numerics.quantization import dequantize_linear, quantize
from ....backends.numerics.storage import saturate_to
from ....dialects import top, tpu
from ....dialects.ir.location import place_of
from ....dialects.ir.weights import WeightStore
from ....dialects.network.constant import value_of
from ....dialects.quant import UniformQuantizedType
from ....dialects.quant.element_type import (
    element_of,
    element_storage,
    expressed,
    is_quantized,
    shape_of,
    type_of_storage,
)
from ....dialects.quant.parameter_grid import spread_parameters
from ..precision.given_quantization import as_signed, signed
from ..precision.schemes import Scheme
from .activation_ranges import activation_type
from .op_builder import OpBuilder


class WeightBuilder(OpBuilder):
    """Builds constants of type `float`, and quantized ones by `integers`, a scheme.

    `saturated` counts the numbers of weights that are out of the range of `float`.
    """

    def __init__(self, function: FuncOp, store: WeightStore, float: str, scheme: Scheme) -> None:
        super().__init__(function, store)
        self.float = type_of_storage(float)
        self.integers = scheme
        self.saturated = 0

    def array_of(self, weight: top.WeightOp) -> np.ndarray:
        """Return the numbers of a constant in f32, for computing with them at compile time: those that it stands for if
        it is quantized.
        """
        array, element = value_of(weight, self.store), element_of(weight.output)
        if not isinstance(element, UniformQuantizedType):
            return array.astype(np.float32, copy=False)
        return dequantize_linear(array, *spread_parameters(element, array.shape), "f32")

    def float_constant(self, name: str, array: np.ndarray) -> SSAValue:
        """Return a constant of `array` with elements of type `float`."""
        return self.constant(name, self._stored(array, self.float))

    def _stored(self, array: np.ndarray, element: Attribute) -> np.ndarray:
        """Return `array` in a float type, and count the numbers that are out of its range."""
        stored, saturated = saturate_to(array, element_storage(element))
        self.saturated += saturated
        return stored

    def float_weight(self, weight: top.WeightOp, element: Attribute) -> SSAValue:
        """Return the weight with elements of type `element`; if it has them already, the same key, seed or value is
        used.
        """
        if expressed(element_of(weight.output)) != element:
            quantized = is_quantized(weight.output.type)
            array = self.array_of(weight) if quantized else value_of(weight, self.store)
            stored = self._stored(array, element)
            name = f"{self.key_of(weight)}.{element_storage(element)}"
            return self.constant(name, stored)
        made = tpu.WeightOp(
            self._own_name(weight.result_name.data),
            type=TensorType(element, shape_of(weight.output)),
            key=None if weight.key is None else weight.key.data,
            seed=None if weight.seed is None else weight.seed.value.data,
            value=weight.value,
            location=weight.location,
        )
        return self.add(made).output

    def quantized_constant(
        self,
        weight: top.WeightOp,
        array: np.ndarray,
        element: UniformQuantizedType | None = None,
    ) -> SSAValue:
        """Return `array`, which stands for the constant `weight`, quantized as `element` says or, if that is None, by
        its least and greatest element, like an activation.
        """
        if not np.all(np.isfinite(array)):
            raise DiagnosticError(
                "a constant that is to be quantized is not finite", place_of(weight)
            )
        if element is None:
            low, high = float(array.min(initial=0.0)), float(array.max(initial=0.0))
            element = activation_type(low, high, self.integers)
        storage = element.storage_name
        stored = quantize(array, element.scale, element.zero_point, storage)
        return self.constant(f"{self.key_of(weight)}.{storage}", stored, element)

    def kept_constant(self, weight: top.WeightOp) -> SSAValue:
        """Return a quantized constant of 8 bits or packed ones with its own integers and scales, in signed storage."""
        given = element_of(weight.output)
        assert isinstance(given, UniformQuantizedType)
        element = signed(given)
        if element != given:
            stored = as_signed(value_of(weight, self.store))
            return self.constant(f"{self.key_of(weight)}.{element.storage_name}", stored, element)
        made = tpu.WeightOp(
            self._own_name(weight.result_name.data),
            type=weight.output.type,
            key=None if weight.key is None else weight.key.data,
            seed=None if weight.seed is None else weight.seed.value.data,
            value=weight.value,
            location=weight.location,
        )
        return self.add(made).output

    @staticmethod
    def key_of(weight: top.WeightOp) -> str:
        """Return the beginning of new keys for what is made from `weight`: its own key, or its name."""
        return weight.result_name.data if weight.key is None else weight.key.data
