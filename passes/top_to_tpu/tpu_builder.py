"""Holds the float and the quantized form of each value during the conversion from `top` to `tpu`; a form is made when
it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, LocationAttr, StringAttr, TensorType, UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.numerics.quantization import activation_parameters, quantize
from ...backends.numerics.storage import name_of, saturate_to
from ...dialects import top, tpu
from ...dialects.ir.location import is_unknown, place_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.quant import CalibratedType, UniformQuantizedType, uniform
from ...dialects.quant.element_type import (
    element_of,
    element_storage,
    expressed,
    is_float,
    is_quantized,
    shape_of,
    type_of_storage,
)
from ..pattern_driver import UniqueNames
from .float_results import Reader
from .joined_factors import JoinedFactors

_SHOWN_NAMES = 20

Op = TypeVar("Op", bound=Operation)


class TpuBuilder:
    """Builds the `tpu` body of one function, value by value.

    A value of `top` has a float form, a quantized form, or both; `as_float` and `as_quantized` return one of them, and
    cast if it does not exist yet. The element type of float forms is `float`, whatever that of `top` is: an op whose
    operands are float forms computes in it. New ops get the location `location` and unique names. Values that need a
    calibrated range and have none are collected, so that one diagnostic can name them all. `saturated` counts the
    numbers of weights that are out of the range of `float`. `float_results` are values that are made in floats,
    by what reads them; `bounded` has float forms that replace others for the op that is being converted. `joined` are
    values that are stored larger than they are. `warnings` are told when all is converted. `quantize` is one of
    `QUANTIZE`.
    """

    def __init__(self, function: FuncOp, store: WeightStore, quantize: str) -> None:
        self.store = store
        self.quantizes = quantize == "int8"
        self.float = type_of_storage("f32" if quantize == "int8" else quantize)
        self.saturated = 0
        self.float_results: Mapping[SSAValue, Reader] = {}
        self.bounded: Mapping[SSAValue, SSAValue] = {}
        self.joined = JoinedFactors()
        self.warnings: list[Diagnostic] = []
        self.location: LocationAttr = UnknownLoc()
        self.source = function.body.block
        self.block = Block(arg_types=[_given_type(each) for each in self.source.args])
        self._floats: dict[tuple[SSAValue, Attribute], SSAValue] = {}
        self._quantized: dict[SSAValue, SSAValue] = {}
        self._made_quantized: set[SSAValue] = set()
        self._rounded: set[SSAValue] = set()
        self._elements: dict[SSAValue, UniformQuantizedType] = {}
        self._functions_of_8_bits: set[SSAValue] = set()
        self._given: set[SSAValue] = set()
        self._names = UniqueNames(function)
        self._taken: set[str] = set()
        self._missing: dict[str, None] = {}
        names = function.attributes.get("smalti.inputs")
        listed = names if isinstance(names, ArrayAttr) else ()
        self._inputs = [each.data for each in listed if isinstance(each, StringAttr)]
        for old, new in zip(self.source.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
            new.location = old.location
            self._floats[old, element_of(new)] = new

    # Names and places

    def name_of(self, value: SSAValue) -> str:
        """Return the name of a value of `top`: that of its op, or of the input."""
        if isinstance(value, BlockArgument):
            return (
                self._inputs[value.index]
                if value.index < len(self._inputs)
                else f"input{value.index}"
            )
        owner = value.owner
        return owner.result_name.data if isinstance(owner, top.TopOp) else str(value.name_hint)

    def result_name(self, op: top.TopOp) -> str:
        """Return the name for what `op` becomes: its own, or a new one if it is stored larger than it is."""
        name = op.result_name.data
        return self.fresh(f"{name}_scaled") if self.joined.changes(op.output) else name

    def fresh(self, name: str) -> str:
        """Return a name that no value has, made from `name`."""
        return self._names.fresh(name)

    def _own_name(self, name: str) -> str:
        """Return the name of a constant, unchanged, to the first op that asks; after that, fresh names."""
        if name in self._taken:
            return self._names.fresh(name)
        self._taken.add(name)
        return name

    # Ops

    def add(self, op: Op) -> Op:
        """Append an op, with the location of what is being converted."""
        if is_unknown(op.location):
            op.location = self.location
        name = op.properties.get("name")
        if isinstance(name, StringAttr) and op.results:
            op.results[0].name_hint = value_name(name.data)
        self.block.add_op(op)
        if any(value in self._rounded for value in op.operands):
            self._rounded.update(op.results)
        self._rounded.update(value for value in op.results if is_quantized(value.type))
        return op

    def constant(self, name: str, array: np.ndarray, element: Attribute | None = None) -> SSAValue:
        """Return a `tpu.weight` of `array` under a new key of the store, with element type `element` (that of the array
        if None).
        """
        element = type_of_storage(name_of(array.dtype)) if element is None else element
        type = TensorType(element, array.shape)
        weight = tpu.WeightOp(self.fresh(name), type=type, key=self.store.add(name, array))
        return self.add(weight).output

    # Values

    def set_float(self, value: SSAValue, form: SSAValue) -> None:
        """Note the float form of `value`, or its bools. Raises ValueError if the element type of floats is not
        `float`.
        """
        element = element_of(form)
        if is_float(element) and element != self.float:
            raise ValueError(f"'{self.name_of(value)}' is {form.type}, expected {self.float}")
        self._floats[value, element] = form

    def set_given(self, value: SSAValue, form: SSAValue) -> None:
        """Note a form of `value` that was made with the element type that the value has in `top`, whatever `float`
        is.
        """
        self._floats[value, expressed(element_of(value))] = form
        self._given.add(value)

    def is_given(self, value: SSAValue) -> bool:
        """Return whether `set_given` noted the form of `value`: it may hold positions in f32, which `float` cannot
        hold.
        """
        return value in self._given

    def set_function_of_8_bits(self, value: SSAValue, form: SSAValue) -> None:
        """Note the float form of `value`, which is a function of 8 bits: a table can give its quantized form just as
        well.
        """
        self.set_float(value, form)
        self._functions_of_8_bits.add(value)

    def set_quantized(self, value: SSAValue, form: SSAValue) -> None:
        """Note the quantized form of `value` as the form in which it was made."""
        self._quantized[value] = form
        self._made_quantized.add(value)

    def set_form(self, value: SSAValue, form: SSAValue) -> None:
        """Note the form of `value`; its element type says whether it is the float or the quantized one."""
        if isinstance(element_of(form), UniformQuantizedType):
            self.set_quantized(value, form)
        else:
            self.set_float(value, form)

    def as_float(self, value: SSAValue) -> SSAValue:
        """Return the form of a value of `top` with elements of type `float`; bools and integers are returned as they
        are.
        """
        if value in self.bounded:
            return self.bounded[value]
        if is_float(element_of(value)):
            return self._as_element(value, self.float)
        return self.as_given(value)

    def float_form(self, value: SSAValue) -> SSAValue | None:
        """Return the form with elements of type `float`, if there is one."""
        return self._floats.get((value, self.float))

    def is_rounded(self, form: SSAValue) -> bool:
        """Tell whether 8 bits have rounded `form`, or anything that it was computed from."""
        return form in self._rounded

    def as_f32(self, value: SSAValue) -> SSAValue:
        """Return the form in f32, whatever `float` is, as accumulators need it."""
        return self._as_element(value, type_of_storage("f32"))

    def as_given(self, value: SSAValue) -> SSAValue:
        """Return the form with the float type (or the bools) that the value has in `top`, as the function
        returns it.
        """
        return self._as_element(value, expressed(element_of(value)))

    def _as_element(self, value: SSAValue, element: Attribute) -> SSAValue:
        form = self._floats.get((value, element))
        if form is None:
            weight = value.owner
            if isinstance(weight, top.WeightOp):
                form = self._float_weight(weight, element)
            else:
                name = self.fresh(f"{self.name_of(value)}_{element_storage(element)}")
                form = self._cast(name, self._made(value), element)
            self._floats[value, element] = form
        return form

    def _made(self, value: SSAValue) -> SSAValue:
        """Return the form in which `value` was made, before any cast."""
        given = (value, expressed(element_of(value)))
        if isinstance(value, BlockArgument) or value in self._given:
            return self._floats[given]
        made = self._floats.get((value, self.float))
        return self._quantized[value] if made is None else made

    def as_quantized(self, value: SSAValue) -> SSAValue:
        """Return the quantized form of a value of `top`; the range of a constant is that of its elements."""
        form = self._quantized.get(value)
        if form is None:
            weight = value.owner
            if isinstance(weight, top.WeightOp):
                form = self.quantized_constant(weight, self.array_of(weight))
            else:
                name = self.fresh(f"{self.name_of(value)}_i8")
                form = self._cast(name, self._made(value), self.element(value))
            self._quantized[value] = form
        return form

    def as_kept(self, value: SSAValue, result: SSAValue | None = None) -> SSAValue:
        """Return the form that an op which only moves elements should get: the quantized one if there is one, else the
        float one.

        Inputs of the function are quantized first, so that only a quarter of the bytes is moved. If the op's `result`
        is read as floats, floats stay floats, because a comparison must not see a value in two precisions.
        """
        stays = result in self.float_results and value not in self._made_quantized
        moves = self.moves_quantized(value) and not stays
        return self.as_quantized(value) if moves else self.as_float(value)

    def moves_quantized(self, value: SSAValue) -> bool:
        """Tell whether an op that only moves `value` should get its quantized form."""
        moves_input = (
            self.quantizes and isinstance(value, BlockArgument) and self._is_calibrated(value)
        )
        return value in self._quantized or value in self._functions_of_8_bits or moves_input

    def has_8_bits(self, value: SSAValue) -> bool:
        """Tell whether the value has a quantized form."""
        return value in self._quantized

    def have_one_element(self, values: Sequence[SSAValue]) -> bool:
        """Tell whether all values were made in 8 bits, with one scale and zero point for all."""
        made = [value in self._made_quantized for value in values]
        return all(made) and len({element_of(self._quantized[value]) for value in values}) == 1

    def is_quantized(self, value: SSAValue) -> bool:
        """Tell whether the value has a quantized form, or can be given one at no cost because it is an input or a
        constant.
        """
        return self.quantizes and (
            value in self._quantized
            or value in self._functions_of_8_bits
            or isinstance(value, BlockArgument)
            or isinstance(value.owner, top.WeightOp)
        )

    def requantized(
        self, op: top.TopOp, value: SSAValue, element: UniformQuantizedType
    ) -> SSAValue:
        """Return the quantized form of `value` with elements of type `element`, for `op`."""
        form = self.as_quantized(value)
        if element_of(form) == element:
            return form
        name = self.fresh(f"{op.result_name.data}_rescaled")
        try:
            made = tpu.RequantizeOp(name, form, element=element)
        except VerifyException as error:
            raise not_quantizable(op, error) from None
        return self.add(made).output

    def _cast(self, name: str, form: SSAValue, element: Attribute) -> SSAValue:
        """Return a cast, with the location of the op that makes the value."""
        owner = form.owner
        location = owner.location if isinstance(owner, Operation) else self.location
        return self.add(tpu.CastOp(name, form, element=element, location=location)).output

    # Weights

    def array_of(self, weight: top.WeightOp) -> np.ndarray:
        """Return the numbers of a constant in f32, for computing with them at compile time."""
        return value_of(weight, self.store).astype(np.float32, copy=False)

    def float_constant(self, name: str, array: np.ndarray) -> SSAValue:
        """Return a constant of `array` with elements of type `float`."""
        return self.constant(name, self._stored(array, self.float))

    def _stored(self, array: np.ndarray, element: Attribute) -> np.ndarray:
        """Return `array` in a float type, and count the numbers that are out of its range."""
        stored, saturated = saturate_to(array, element_storage(element))
        self.saturated += saturated
        return stored

    def _float_weight(self, weight: top.WeightOp, element: Attribute) -> SSAValue:
        """Return the weight with elements of type `element`; if it has them already, the same key, seed or value is
        used.
        """
        if expressed(element_of(weight.output)) != element:
            stored = self._stored(value_of(weight, self.store), element)
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
            element = uniform("i8", *activation_parameters(low, high))
        stored = quantize(array, element.scale, element.zero_point, "i8")
        return self.constant(f"{self.key_of(weight)}.i8", stored, element)

    @staticmethod
    def key_of(weight: top.WeightOp) -> str:
        """Return the beginning of new keys for what is made from `weight`: its own key, or its name."""
        return weight.result_name.data if weight.key is None else weight.key.data

    # Ranges

    def element(self, value: SSAValue) -> UniformQuantizedType:
        """Return the quantized element type of a value of `top`, by its calibrated range; a value without a range is
        noted as missing one.
        """
        found = self._elements.get(value)
        if found is not None:
            return found
        calibrated = element_of(value)
        if isinstance(calibrated, CalibratedType):
            try:
                scale, zero_point = activation_parameters(calibrated.low, calibrated.high)
            except ValueError as error:
                raise DiagnosticError(
                    f"the range of '{self.name_of(value)}' is of no use: {error}"
                ) from None
            found = uniform("i8", scale, zero_point)
        else:
            self._missing[self.name_of(value)] = None
            found = uniform("i8", 1.0, 0)
        self._elements[value] = found
        return found

    def take_element(self, value: SSAValue, successor: SSAValue) -> None:
        """Let `value` be quantized as `successor` is, if that has a range."""
        if successor in self._elements or self._is_calibrated(successor):
            self._elements[value] = self.element(successor)

    def _is_calibrated(self, value: SSAValue) -> bool:
        return isinstance(element_of(value), CalibratedType)

    def check_ranges(self) -> None:
        """Raise DiagnosticError that names the values which needed a calibrated range and had none."""
        if not self._missing:
            return
        names = list(self._missing)
        shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
        rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        raise DiagnosticError(
            f"quantization to int8 needs a calibrated range for {shown}{rest}",
            Place(name="convert-top-to-tpu"),
            hint="calibrate the model and run top-annotate-calibration{table=FILE} before, "
            "or convert with quantize=f32",
        )


Conversions = Mapping[type[top.TopOp], Callable[[TpuBuilder, Any], None]]
"""The conversions of ops, by the class of the op: functions that append the `tpu` ops for one op
and note the form of its result."""


def _given_type(argument: SSAValue) -> TensorType:
    """Return the type of an input without its calibrated range."""
    return TensorType(expressed(element_of(argument)), shape_of(argument))


def quantized_element(value: SSAValue) -> UniformQuantizedType:
    """Return the element type of a quantized form that the builder returned."""
    element = element_of(value)
    assert isinstance(element, UniformQuantizedType), "the builder gives quantized forms only"
    return element


def not_quantizable(op: top.TopOp, error: Exception) -> DiagnosticError:
    """Return the diagnostic for an op whose scales are too far apart for a multiplier, as `error` says."""
    return DiagnosticError(
        f"'{op.result_name.data}' cannot be computed in int8: {error}",
        place_of(op),
        hint="check the calibrated ranges of its operands and result, or use quantize=f32",
    )
