"""What a network's function says of its inputs and outputs in attributes: names, layouts and the model's own types.

    func.func @main(%image: tensor<1x3x8x8x!quant.uniform<i8:f32, 0.5:-3>>) -> tensor<1x10xf32> attributes {
        smalti.inputs = ["image"], smalti.outputs = ["y"],
        smalti.input_layouts = ["nhwc"], smalti.model_input_types = [f32]}

Each attribute is a list with an entry for each argument or result; one that is absent says nothing special: tensors lie
as the model has them, and have the model's own elements. The tensors of the function always have the model's shape; the
layout is that of the bytes of the program's input or output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from xdsl.dialects.builtin import ArrayAttr, StringAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.ports.port_format import LAYOUTS, MODEL_LAYOUT, PortFormat, order_of
from ..ir.location import place_of
from ..quant.element_type import element_storage, expressed
from ..quant.number_format import NumberFormat

Side = Literal["input", "output"]
SIDES: tuple[Side, ...] = ("input", "output")
_NAMES: Mapping[Side, str] = {"input": "smalti.inputs", "output": "smalti.outputs"}
_LAYOUTS: Mapping[Side, str] = {
    "input": "smalti.input_layouts",
    "output": "smalti.output_layouts",
}
_MODEL_TYPES: Mapping[Side, str] = {
    "input": "smalti.model_input_types",
    "output": "smalti.model_output_types",
}


@dataclass(frozen=True)
class NetworkPort:
    """An input or output of a network: its name, the type of its tensor in the function, its layout, and the element
    type that the model has for it; None if that is the one of the function.
    """

    side: Side
    name: str
    type: Attribute
    layout: str = MODEL_LAYOUT
    model: Attribute | None = None
    place: Place | None = field(default=None, compare=False)
    """Where the function stands, for messages."""

    @property
    def element(self) -> Attribute:
        """The element type of the tensor in the function, without a calibrated range."""
        return expressed(self.type.element_type) if isinstance(self.type, TensorType) else self.type

    @property
    def is_converted(self) -> bool:
        """Whether the host converts the model's numbers to those of the port, or back."""
        return self.model is not None and self.model != self.element

    @property
    def format(self) -> PortFormat:
        """How the port holds the tensor. Raises DiagnosticError if the port has no fixed shape, or cannot hold it."""
        if not isinstance(self.type, TensorType):
            raise DiagnosticError(
                f"{self.side} '{self.name}' must be a tensor, its type is {self.type}", self.place
            )
        shape = self.type.get_shape()
        if any(size < 0 for size in shape):
            raise DiagnosticError(
                f"{self.side} '{self.name}' has sizes that are not known: {self.type}",
                self.place,
                hint="give the input's shape when importing the model",
            )
        storage = element_storage(self.type)
        order = order_of(self.layout, len(shape))
        if self.model is None or not self.is_converted:
            return PortFormat(shape, storage, order, storage)
        quantization = NumberFormat.of(self.type).quantization
        found = PortFormat(shape, storage, order, element_storage(self.model), quantization)
        problem = found.error()
        if problem is not None:
            raise DiagnosticError(
                f"{self.side} '{self.name}' is {self.type.element_type}, and "
                f"{_MODEL_TYPES[self.side]} says {self.model}: {problem}",
                self.place,
                hint="the type of the model's own float tensor belongs there",
            )
        return found


def network_ports(function: FuncOp, side: Side) -> list[NetworkPort]:
    """Return the inputs or outputs of a network's function, in order. Those that no attribute names are called
    "input0", "input1" … or "output0" …

    Raises DiagnosticError if an attribute does not fit the function.
    """
    types = _types(function, side)
    names = port_names(function, side)
    layouts = _listed(function, _LAYOUTS[side], StringAttr, len(types), "the layout")
    models = _listed(
        function, _MODEL_TYPES[side], Attribute, len(types), "the model's element type"
    )
    place = place_of(function)
    ports = [
        NetworkPort(side, name, type, place=place) for name, type in zip(names, types, strict=True)
    ]
    if layouts is not None:
        for layout in layouts:
            if layout.data not in LAYOUTS:
                raise DiagnosticError(
                    f"{_LAYOUTS[side]} has no layout '{layout.data}'",
                    place_of(function),
                    hint=f"the layouts are {', '.join(LAYOUTS)}",
                )
        ports = [replace(port, layout=each.data) for port, each in zip(ports, layouts, strict=True)]
    if models is not None:
        for model in models:
            _check_element(function, _MODEL_TYPES[side], model)
        ports = [replace(port, model=each) for port, each in zip(ports, models, strict=True)]
    return ports


def port_names(function: FuncOp, side: Side) -> list[str]:
    """Return the names of the function's arguments or results, as `network_ports` does."""
    count = len(_types(function, side))
    if _NAMES[side] not in function.attributes:
        return [f"{side}{index}" for index in range(count)]
    listed = function.attributes[_NAMES[side]]
    entries = listed.data if isinstance(listed, ArrayAttr) else ()
    names = [entry.data for entry in entries if isinstance(entry, StringAttr)]
    if len(names) != count or len({*names} - {""}) != count:
        raise DiagnosticError(
            f"{_NAMES[side]} must name {count} different tensors, it is {listed}",
            place_of(function),
            hint="name each argument and result of the function once",
        )
    return names


def set_network_ports(function: FuncOp, side: Side, ports: Sequence[NetworkPort]) -> None:
    """Write what is special of inputs or outputs into the function's attributes: layouts and the model's types."""
    layouts = [StringAttr(port.layout) for port in ports]
    models = [port.element if port.model is None else port.model for port in ports]
    converted = any(port.is_converted for port in ports)
    plain = all(port.layout == MODEL_LAYOUT for port in ports)
    for name, values, is_left_out in (
        (_LAYOUTS[side], layouts, plain),
        (_MODEL_TYPES[side], models, not converted),
    ):
        if is_left_out:
            function.attributes.pop(name, None)
        else:
            function.attributes[name] = ArrayAttr(values)


def _types(function: FuncOp, side: Side) -> list[Attribute]:
    if side == "input":
        return [argument.type for argument in function.body.block.args]
    return list(function.function_type.outputs)


def _listed(function: FuncOp, name: str, kind: type, count: int, what: str) -> list | None:
    """Return the entries of a list attribute; None if the function does not have it."""
    listed = function.attributes.get(name)
    if listed is None:
        return None
    entries = listed.data if isinstance(listed, ArrayAttr) else ()
    if len(entries) != count or not all(isinstance(entry, kind) for entry in entries):
        raise DiagnosticError(
            f"{name} must have {what} of each of {count} tensors, it is {listed}",
            place_of(function),
        )
    return list(entries)


def _check_element(function: FuncOp, name: str, model: Attribute) -> None:
    try:
        element_storage(model)
    except ValueError as error:
        raise DiagnosticError(f"{name}: {error}", place_of(function)) from None
