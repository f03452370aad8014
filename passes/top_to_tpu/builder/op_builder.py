"""Builds the `tpu` body of a function op by op: names, locations and constants."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, LocationAttr, StringAttr, TensorType, UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from ....backends.numerics.storage import name_of
from ....dialects import top, tpu
from ....dialects.ir.location import is_unknown
from ....dialects.ir.text.value_name import value_name
from ....dialects.ir.weights import WeightStore
from ....dialects.quant.element_type import (
    element_of,
    expressed,
    is_quantized,
    shape_of,
    type_of_storage,
)
from ...pattern_driver import UniqueNames

Op = TypeVar("Op", bound=Operation)


class OpBuilder:
    """Appends ops to `block`, the new body of a function, in place of those of `source`, its body of `top`.

    New ops get the location `location` and unique names.
    """

    def __init__(self, function: FuncOp, store: WeightStore) -> None:
        self.store = store
        self.location: LocationAttr = UnknownLoc()
        self.source = function.body.block
        self.block = Block(arg_types=[_given_type(each) for each in self.source.args])
        self._rounded: set[SSAValue] = set()
        self._names = UniqueNames(function)
        self._taken: set[str] = set()
        names = function.attributes.get("smalti.inputs")
        listed = names if isinstance(names, ArrayAttr) else ()
        self._inputs = [each.data for each in listed if isinstance(each, StringAttr)]
        for old, new in zip(self.source.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
            new.location = old.location

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

    def fresh(self, name: str) -> str:
        """Return a name that no value has, made from `name`."""
        return self._names.fresh(name)

    def _own_name(self, name: str) -> str:
        """Return the name of a constant, unchanged, to the first op that asks; after that, fresh names."""
        if name in self._taken:
            return self._names.fresh(name)
        self._taken.add(name)
        return name

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

    def is_rounded(self, form: SSAValue) -> bool:
        """Tell whether 8 bits have rounded `form`, or anything that it was computed from."""
        return form in self._rounded


def _given_type(argument: SSAValue) -> TensorType:
    """Return the type of an input without its calibrated range."""
    return TensorType(expressed(element_of(argument)), shape_of(argument))
