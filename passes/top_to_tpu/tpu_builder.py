"""Holds the float and the quantized form of each value during the conversion from `top` to `tpu`; a form is made when
it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from xdsl.dialects.builtin import f32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...dialects import top, tpu
from ...dialects.ir.location import place_of
from ...dialects.ir.weights import WeightStore
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import (
    element_of,
    element_storage,
    expressed,
    is_network_float,
    type_of_storage,
)
from .builder.activation_ranges import ActivationRanges, is_calibrated
from .builder.weight_builder import WeightBuilder
from .precision.float_results import Reader
from .precision.given_quantization import constant_of, given_constant, signed
from .precision.joined_factors import JoinedFactors
from .precision.schemes import INT8, Scheme


class TpuBuilder(WeightBuilder):
    """Builds the `tpu` body of one function, value by value.

    A value of `top` has a float form, a quantized form, or both; `as_float` and `as_quantized` return one of them, and
    cast if it does not exist yet. The element type of float forms is `float`, whatever that of `top` is: an op whose
    operands are float forms computes in it. It is f32 for an op that makes one of the `wide_results`, that of
    `float_formats` for an op whose result has one, and the network's for all others. `schemes` are those of the results
    of layers: the network is one of integers if one of them is, whatever `scheme` says of all others. `scheme` is that
    of the op that is being converted, `integers` the same if it is one of integers, else the first such one of the
    network. `ranges` are those of the activations. `float_results` are values that are made in floats, by what reads
    them; `given_regions` those for which the model, or a person, decides whether integers hold them; `bounded` has
    float forms that replace others for the op that is being converted. `dynamic_forms` are what dynamic quantization
    makes of values. `packed_weights` are the storage types of weights that the target unpacks, `scales_groups` says
    whether it multiplies them by scales of groups. `joined` are values that are stored larger than they are. `warnings`
    are told when all is converted, `causes` of calls of the host (why, and what helps), too.
    """

    def __init__(
        self,
        function: FuncOp,
        store: WeightStore,
        scheme: Scheme,
        schemes: Mapping[SSAValue, Scheme],
    ) -> None:
        self.quantizes = any(each.quantizes for each in (scheme, *schemes.values()))
        super().__init__(function, store, "f32" if self.quantizes else scheme.activations, scheme)
        self.float_formats = {
            value: type_of_storage(each.activations)
            for value, each in schemes.items()
            if not each.quantizes and (self.quantizes or each != scheme)
        }
        self.scheme = self._network_scheme = scheme
        self._schemes = schemes
        self._network_integers = next(
            (each for each in (scheme, *schemes.values()) if each.quantizes), INT8
        )
        self.ranges = ActivationRanges(self.name_of)
        self.float_results: Mapping[SSAValue, Reader] = {}
        self.wide_results: Collection[SSAValue] = ()
        self.packed_weights: Collection[str] = ()
        self.scales_groups = False
        self.given_regions: Collection[SSAValue] = ()
        self.bounded: Mapping[SSAValue, SSAValue] = {}
        self.dynamic_forms: dict[SSAValue, object] = {}
        self.joined = JoinedFactors()
        self.warnings: list[Diagnostic] = []
        self.causes: dict[tpu.HostCallOp, tuple[str, str]] = {}
        self._floats: dict[tuple[SSAValue, Attribute], SSAValue] = {}
        self._quantized: dict[SSAValue, SSAValue] = {}
        self._in_scheme: dict[tuple[SSAValue, Scheme], SSAValue] = {}
        self._made_quantized: set[SSAValue] = set()
        self._functions_of_8_bits: set[SSAValue] = set()
        self._given: set[SSAValue] = set()
        self._made_in: dict[SSAValue, Attribute] = {}
        self._network_float = self.float
        for old, new in zip(self.source.args, self.block.args, strict=True):
            self._floats[old, element_of(new)] = new

    def begin(self, op: Operation) -> None:
        """Begin the conversion of `op`: what is added has its location, and floats the type that it computes in."""
        self.location = op.location
        self.float, self.scheme = self._network_float, self._network_scheme
        for value in op.results:
            self.float = self.float_formats.get(value, self.float)
            self.scheme = self.scheme_of(value)
        self.integers = self.scheme if self.scheme.quantizes else self._network_integers
        if any(value in self.wide_results for value in op.results):
            self.float = type_of_storage("f32")

    def scheme_of(self, value: SSAValue) -> Scheme:
        """Return the scheme by which the op that gives `value` computes; that of the network for an input."""
        return self._schemes.get(value, self._network_scheme)

    def result_name(self, op: top.TopOp) -> str:
        """Return the name for what `op` becomes: its own, or a new one if it is stored larger than it is."""
        name = op.result_name.data
        return self.fresh(f"{name}_scaled") if self.joined.changes(op.output) else name

    def element(self, value: SSAValue) -> UniformQuantizedType:
        """Return the quantized element type of a value of `top`, by its calibrated range and the scheme of what makes
        it; a value without a range is noted as missing one.
        """
        return self.ranges.element(value, self._integers_of(self.scheme_of(value)))

    def _integers_of(self, scheme: Scheme) -> Scheme:
        """Return a scheme of integers: `scheme` if it is one, else `integers`."""
        return scheme if scheme.quantizes else self.integers

    def set_float(self, value: SSAValue, form: SSAValue) -> None:
        """Note the float form of `value`, or its bools. Raises ValueError if the element type of floats is not
        `float`.
        """
        element = element_of(form)
        if is_network_float(element) and element != self.float:
            raise ValueError(f"'{self.name_of(value)}' is {form.type}, expected {self.float}")
        self._floats[value, element] = form
        if element != self._network_float and is_network_float(element):
            self._made_in[value] = element

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
        """Return the form of a value of `top` with elements of type `float`; bools, integers and wider floats are
        returned as they are.
        """
        if value in self.bounded:
            return self.bounded[value]
        if is_network_float(value.type):
            return self._as_element(value, self.float)
        return self.as_given(value)

    def as_unrounded(self, value: SSAValue) -> SSAValue:
        """Return the form in f32 if `value` is a constant or was made in f32, whatever `float` is, so that its elements
        are rounded only once; else that of `as_float`.
        """
        is_wide = value not in self.bounded and expressed(element_of(value)) == f32
        if is_wide and (constant_of(value) is not None or element_of(self._made(value)) == f32):
            return self.as_f32(value)
        return self.as_float(value)

    def quantized_form(self, value: SSAValue) -> SSAValue | None:
        """Return the quantized form of a value, if it has one already."""
        return self._quantized.get(value)

    def set_stored(self, value: SSAValue, form: SSAValue) -> None:
        """Note the integers that store a quantized value which the device does not keep in a quantized type; or plain
        integers, as they are.
        """
        self._floats[value, element_of(value)] = form
        self._given.add(value)

    def stored_form(self, value: SSAValue) -> SSAValue:
        """Return the integers that `set_stored` noted, or plain integers as they are."""
        return self._as_element(value, element_of(value))

    def is_made_quantized(self, value: SSAValue) -> bool:
        """Tell whether the value was made in its quantized form, so that its float form is the rounded one."""
        return value in self._made_quantized

    def float_form(self, value: SSAValue) -> SSAValue | None:
        """Return the form with elements of type `float`, if there is one."""
        return self._floats.get((value, self.float))

    def as_f32(self, value: SSAValue) -> SSAValue:
        """Return the form in f32, whatever `float` is, as accumulators need it."""
        return self._as_element(value, type_of_storage("f32"))

    def as_given(self, value: SSAValue) -> SSAValue:
        """Return the form with the elements that the value has in `top`, as the function returns it."""
        element, form = expressed(element_of(value)), self._quantized.get(value)
        if form is None or not isinstance(element, UniformQuantizedType):
            return self._as_element(value, element)
        if element_of(form) == element:
            return form
        name = self.fresh(f"{self.name_of(value)}_{element.storage_name}")
        return self.add(tpu.RequantizeOp(name, form, element=element)).output

    def _as_element(self, value: SSAValue, element: Attribute) -> SSAValue:
        form = self._floats.get((value, element))
        if form is None:
            weight = constant_of(value)
            if weight is not None:
                form = self.float_weight(weight, element)
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
        element = self._made_in.get(value, self._network_float)
        made = self._floats.get((value, element))
        return self._quantized[value] if made is None else made

    def as_quantized(self, value: SSAValue) -> SSAValue:
        """Return the quantized form of a value of `top` in the storage type of the scheme by which the op that is being
        converted computes; the range of a constant is that of its elements.
        """
        form = self._quantized.get(value)
        if form is None:
            return self._as_stored(value)
        scheme = self.scheme
        if not scheme.quantizes or quantized_element(form).storage_name == scheme.activations:
            return form
        found = self._in_scheme.get((value, scheme))
        if found is None:
            found = self._in_scheme[value, scheme] = self._in_storage(value, form, scheme)
        return found

    def _as_stored(self, value: SSAValue) -> SSAValue:
        """Return the quantized form of a value in whatever storage type it has; if it has none, one is made."""
        form = self._quantized.get(value)
        if form is None:
            weight = constant_of(value)
            if weight is not None:
                form = self._quantized_weight(value, weight)
            else:
                element = self.ranges.element(value, self.integers)
                name = self.fresh(f"{self.name_of(value)}_{element.storage_name}")
                form = self._cast(name, self._made(value), element)
            self._quantized[value] = form
        return form

    def _in_storage(self, value: SSAValue, form: SSAValue, scheme: Scheme) -> SSAValue:
        """Return a value, which has the quantized form `form`, in the storage type of another scheme."""
        weight = constant_of(value)
        if weight is not None:
            return self.quantized_constant(weight, self.array_of(weight))
        element = self.ranges.element_in(value, scheme)
        name = self.fresh(f"{self.name_of(value)}_{element.storage_name}")
        if value not in self._made_quantized:
            return self._cast(name, self._made(value), element)
        return self.add(tpu.RequantizeOp(name, form, element=element)).output

    def as_kept(self, value: SSAValue, result: SSAValue | None = None) -> SSAValue:
        """Return the form that an op which only moves elements should get: the quantized one if there is one, else the
        float one.

        Inputs of the function are quantized first, so that only a quarter of the bytes is moved. If the op's `result`
        is read as floats, floats stay floats, because a comparison must not see a value in two precisions.
        """
        stays = result in self.float_results and value not in self._made_quantized
        if result is not None and self.follows_model(result):
            moves = self._is_made_of_integers(value)
        else:
            moves = self.moves_quantized(value) and not stays
        return self._as_stored(value) if moves else self.as_float(value)

    def moves_quantized(self, value: SSAValue) -> bool:
        """Tell whether an op that only moves `value` should get its quantized form."""
        moves_input = self.quantizes and isinstance(value, BlockArgument) and is_calibrated(value)
        return value in self._quantized or value in self._functions_of_8_bits or moves_input

    def has_quantized_form(self, value: SSAValue) -> bool:
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
        if value in self._quantized or value in self._functions_of_8_bits:
            return True
        is_free = isinstance(value, BlockArgument) or constant_of(value) is not None
        return self.quantizes and is_free

    def follows_model(self, output: SSAValue) -> bool:
        """Tell whether the op that gives `output` computes in integers only if the model itself quantizes its operands
        and result: in a network of floats any op, in INT8 those between the quantized values of the model.
        """
        return not self.quantizes or output in self.given_regions

    def gives_integers(self, value: SSAValue) -> bool:
        """Tell whether an op may make `value` as integers of 8 bits: in an INT8 network any, in others those that the
        model gives a quantization.
        """
        return not self.follows_model(value) or self.ranges.is_given(value)

    def rounds_integers(self, output: SSAValue, operand: SSAValue) -> bool:
        """Tell whether an op of one operand that there is in 8 bits may make `output` in 8 bits."""
        if self.follows_model(output):
            return self._is_made_of_integers(operand) and self.ranges.is_given(output)
        return self.is_quantized(operand)

    def computes_integers(self, output: SSAValue, *operands: SSAValue) -> bool:
        """Tell whether an op computes in integers: any in an INT8 network; in others one to whose result and operands
        the model gives quantizations.
        """
        if not self.follows_model(output):
            return True
        return self.ranges.is_given(output) and all(map(self._is_given, operands))

    def _is_given(self, value: SSAValue) -> bool:
        return value in self._made_quantized or given_constant(value) is not None

    def _is_made_of_integers(self, value: SSAValue) -> bool:
        return value in self._made_quantized or value in self._functions_of_8_bits

    def requantized(
        self, op: top.TopOp, value: SSAValue, element: UniformQuantizedType
    ) -> SSAValue:
        """Return the quantized form of `value` with elements of type `element`, for `op`."""
        form = self._as_stored(value)
        if element_of(form) == element:
            return form
        name = self.fresh(f"{op.result_name.data}_rescaled")
        try:
            made = tpu.RequantizeOp(name, form, element=element)
        except VerifyException as error:
            raise not_quantizable(op, error) from None
        return self.add(made).output

    def in_element(self, op: top.TopOp, value: SSAValue, element: UniformQuantizedType) -> SSAValue:
        """Return the form of `value` with elements of type `element`, saturated to its range, for `op`: a constant is
        quantized so, anything else requantized.
        """
        weight = constant_of(value)
        if weight is not None:
            return self.quantized_constant(weight, self.array_of(weight), element)
        return self.requantized(op, value, element)

    def _quantized_weight(self, value: SSAValue, weight: top.WeightOp) -> SSAValue:
        """Return a constant quantized as the model gives it, or by the range of its elements."""
        kept = given_constant(value)
        if kept is not None:
            element = signed(quantized_element(kept.output))
            if element.is_per_tensor and element.storage_name == self.integers.activations:
                return self.kept_constant(kept)
        return self.quantized_constant(weight, self.array_of(weight))

    def _cast(self, name: str, form: SSAValue, element: Attribute) -> SSAValue:
        """Return a cast, with the location of the op that makes the value."""
        owner = form.owner
        location = owner.location if isinstance(owner, Operation) else self.location
        return self.add(tpu.CastOp(name, form, element=element, location=location)).output


Conversions = Mapping[type[top.TopOp], Callable[[TpuBuilder, Any], None]]
"""The conversions of ops, by the class of the op: functions that append the `tpu` ops for one op
and note the form of its result."""


def quantized_element(value: SSAValue) -> UniformQuantizedType:
    """Return the element type of a quantized form that the builder returned."""
    element = element_of(value)
    assert isinstance(element, UniformQuantizedType), "the builder gives quantized forms only"
    return element


def not_quantizable(op: top.TopOp, error: Exception) -> DiagnosticError:
    """Return the diagnostic for an op whose scales are too far apart for a multiplier, as `error` says."""
    return DiagnosticError(
        f"'{op.result_name.data}' cannot be computed in integers: {error}",
        place_of(op),
        hint="check the calibrated ranges of its operands and result, or use quantize=f32",
    )
