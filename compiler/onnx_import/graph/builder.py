"""Emits top ops while a model is imported: gives them names and locations, and turns constants into weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, SSAValue
from xdsl.utils.exceptions import VerifyException

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.numerics.storage import name_of
from ....dialects import top
from ....dialects.ir.context import SmaltiContext
from ....dialects.ir.location import named
from ....dialects.network.traits import Converts, Moves, TakesAnyElements
from ....dialects.quant import UniformQuantizedType
from ....dialects.quant.element_type import element_storage, is_quantized, type_of_storage
from ..model.input_shapes import BatchChange
from ..model.limits import FoldingBudget, ImportLimits
from .double_precision import function_of_f64
from .large_array import transposed
from .node import Node, UnsupportedNodeError
from .value import (
    FLOAT_DTYPES,
    NETWORK_DTYPES,
    SMALL_DTYPES,
    TENSOR_DTYPES,
    Constant,
    QuantizedConstant,
    Value,
    dtype_of_value,
    shape_of,
)

Operand: TypeAlias = Value | list[Value] | None
"""What an op takes for a field of operands: a tensor, a list of them, or nothing."""

_MAX_ELEMENTS = 2**34
"""The most elements that a tensor of a network may have: 64 GiB in f32, more than anything that can be run."""


class GraphBuilder:
    """Appends top ops to a block; every result gets a unique `name` and the location of the node it
    comes from.

    Args:
        ctx: its weight store receives the constants.
        block: the body of the function.
        tensor_names: the names of all tensors of the model; derived names never equal one of them.
        batch: how the leading dimension of the inputs was changed, for constants that repeat it.
        budget: the bytes that constants computed at import may take.
    """

    def __init__(
        self,
        ctx: SmaltiContext,
        block: Block,
        tensor_names: Iterable[str],
        batch: BatchChange | None = None,
        budget: FoldingBudget | None = None,
    ):
        self.budget = budget or FoldingBudget(ImportLimits())
        self.ctx = ctx
        self.block = block
        self.batch = batch
        self._reserved = set(tensor_names)
        self._used: set[str] = set()
        # The last number that a name has taken: what unrolled loops name would count from 0 each time.
        self._numbers: dict[str, int] = {}
        # Constants that are weights already, by identity; keeping the constant keeps its identity
        # from being reused.
        self._weights: dict[int, tuple[Constant, SSAValue]] = {}
        # Quantized constants that are dequantized already, by the integers in memory and their type, with the arrays,
        # which so keep their place.
        self._dequantized: dict[tuple[Any, ...], tuple[np.ndarray, SSAValue]] = {}
        # The integers of quantized values, where something reads them.
        self._stored: dict[SSAValue, SSAValue] = {}
        self._node: Node | None = None

    def enter(self, node: Node) -> None:
        """Let the ops that are emitted from now on belong to `node`."""
        self._node = node

    def derived(self, tensor: str, suffix: str) -> str:
        """Return a name for a tensor that the model does not have, such as 'logits_rows'."""
        base = f"{tensor}_{suffix}"
        name, number = base, self._numbers.get(base, 0)
        if number:
            name = f"{base}_{number}"
        while name in self._reserved or name in self._used:
            number += 1
            name = f"{base}_{number}"
        self._numbers[base] = number
        self._reserved.add(name)
        return name

    def claim(self, name: str) -> str:
        """Reserve `name` for a value of the module and return it, or a free variant if another value has it already."""
        if name in self._used:
            name = self.derived(name, "copy")
        self._used.add(name)
        return name

    def emit(self, op_class: Any, name: str, /, *operands: Operand, **fields: Any) -> SSAValue:
        """Append `op_class(name, *operands, **fields)`, or for operands of f64 a call of the function that computes it,
        and return its result.

        Raises:
            DiagnosticError: if the shapes do not fit the op; it points at the node that is being imported.
            UnsupportedNodeError: if an operand has an element type that this op does not compute with.
        """
        tensor = self.tensor if _keeps_quantized(op_class, operands) else self.plain
        values: list[Operand] = [
            [tensor(each) for each in operand]
            if isinstance(operand, list)
            else operand and tensor(operand)
            for operand in operands
        ]
        location = named(self._node.label) if self._node else None
        given = _listed(values)
        wide = next((each for each in given if dtype_of_value(each) not in NETWORK_DTYPES), None)
        if wide is not None and not (
            op_class.has_trait(TakesAnyElements) or op_class.has_trait(Moves)
        ):
            function = function_of_f64(op_class, given, fields)
            if function is None:
                raise _computes_with(wide)
            called, attributes = function
            return self.emit(top.CallOp, name, given, function=called, attributes=attributes)
        try:
            op = op_class(self.claim(name), *values, **fields, location=location)
            op.verify()
        except DiagnosticError as error:
            small = next((each for each in given if dtype_of_value(each) in SMALL_DTYPES), None)
            if small is not None and not op_class.has_trait(Moves):
                raise _computes_with(small, f" ({error.message})") from error
            raise self._shape_error(error.message) from error
        except (VerifyException, ValueError) as error:
            refused = _without_floats(given) if isinstance(error, VerifyException) else None
            if refused is not None:
                raise _computes_with(refused, f" ({error})") from error
            raise self._shape_error(str(error)) from error
        (result,) = op.results
        if prod(shape_of(result)) > _MAX_ELEMENTS:
            raise self._shape_error(f"its result {list(shape_of(result))} is too big")
        self.block.add_op(op)
        return result

    def tensor(self, value: Value) -> SSAValue:
        """Return the value in the module; a constant becomes a `top.weight` the first time."""
        if not isinstance(value, Constant):
            return value
        if id(value) not in self._weights:
            self._weights[id(value)] = (value, self._weight(value))
        return self._weights[id(value)][1]

    def plain(self, value: Value) -> SSAValue:
        """Return the value in the module; the integers that store it if it is quantized."""
        tensor = self.tensor(value)
        if not is_quantized(tensor.type):
            return tensor
        if tensor not in self._stored:
            name = self.derived(_name_of(tensor), "stored")
            element = type_of_storage(element_storage(tensor.type))
            self._stored[tensor] = self.emit(top.StorageCastOp, name, tensor, element=element)
        return self._stored[tensor]

    def reshape(self, value: Value, shape: Sequence[int], name: str) -> Value:
        """Return the same elements in another shape: a view of a constant, or a `top.reshape` unless the shape is the
        same.
        """
        if isinstance(value, QuantizedConstant):
            return value.reshaped(shape, name)
        if isinstance(value, Constant):
            return Constant(value.array.reshape(shape), name)
        if shape_of(value) == tuple(shape):
            return value
        return self.emit(top.ReshapeOp, name, value, shape=tuple(shape))

    def transpose(self, value: Value, permutation: Sequence[int], name: str) -> Value:
        """Permute the axes: axis i of the result is axis permutation[i] of the value."""
        if isinstance(value, QuantizedConstant):
            return value.transposed(permutation, name)
        if isinstance(value, Constant):
            # Nobody can write to it: the weight store keeps it without another copy.
            return Constant(transposed(value.array, permutation), name)
        if list(permutation) == sorted(permutation):
            return value
        return self.emit(top.TransposeOp, name, value, permutation=tuple(permutation))

    def scalar(self, number: float, tensor: str, suffix: str) -> Constant:
        """Return a constant of rank 0 in the float type of the node, named after the tensor that it is needed for."""
        dtype = np.dtype(np.float32) if self._node is None else self._node.float_dtype
        return Constant(np.array(number, dtype), self.derived(tensor, suffix))

    def _weight(self, constant: Constant) -> SSAValue:
        if isinstance(constant, QuantizedConstant):
            return self._quantized_weight(constant)
        array = constant.array
        if array.dtype not in TENSOR_DTYPES:
            raise UnsupportedNodeError(
                f"its constant '{constant.name}' has elements of {array.dtype}; numbers and bools are supported"
            )
        name = self.claim(constant.name)
        key = self.ctx.weights.add(name, array)
        element = type_of_storage(name_of(array.dtype))
        op = top.WeightOp(name, type=TensorType(element, array.shape), key=key)
        self.block.add_op(op)
        return op.output

    def _quantized_weight(self, constant: QuantizedConstant) -> SSAValue:
        """Return the floats of a quantized constant; nodes that share its integers and scales share them, too."""
        stored = constant.stored
        place = (stored.ctypes.data, stored.shape, stored.strides, stored.dtype, constant.element)
        if place not in self._dequantized:
            name = self.claim(constant.stored_name)
            key = self.ctx.weights.add(name, stored)
            op = top.WeightOp(name, type=TensorType(constant.element, constant.shape), key=key)
            self.block.add_op(op)
            floats = self.emit(top.DequantizeOp, constant.name, op.output)
            self._dequantized[place] = (stored, floats)
        return self._dequantized[place][1]

    def _shape_error(self, message: str) -> DiagnosticError:
        assert self._node is not None
        shapes = [shape_of(value) for value in self._node.inputs if value is not None]
        error = self._node.error(
            message,
            "if ONNX Runtime runs the model with these shapes, please report this; else correct --batch, "
            "--input-shape or the model",
        )
        given = f"input shapes: {', '.join(str(list(shape)) for shape in shapes)}"
        error.notes = [*error.notes, given]
        return error


def _keeps_quantized(op_class: Any, operands: Sequence[Operand]) -> bool:
    """Tell whether an op takes quantized tensors as they are: conversions do, and what only moves elements of one scale
    for all, without any of its own.
    """
    if op_class.has_trait(Converts):
        return True
    if not op_class.has_trait(Moves) or op_class is top.PadOp:
        return False
    types = {each.type for each in _listed(operands) if isinstance(each, SSAValue)}
    elements = {type.element_type for type in types if isinstance(type, TensorType)}
    if len(elements) != 1 or any(isinstance(each, Constant) for each in _listed(operands)):
        return False
    (element,) = elements
    return isinstance(element, UniformQuantizedType) and element.is_per_tensor


def _listed(given: Sequence[Operand]) -> list[Value]:
    """Return the operands that are there, those of lists one by one."""
    listed = (each if isinstance(each, list) else [each] for each in given)
    return [value for values in listed for value in values if value is not None]


def _without_floats(operands: Sequence[Value]) -> Value | None:
    """Return an operand of others than floats and bools, or of bools if none has floats: most ops compute with floats
    only.
    """
    if all(dtype_of_value(each) not in FLOAT_DTYPES for each in operands):
        return operands[0] if operands else None
    return next((each for each in operands if dtype_of_value(each) not in NETWORK_DTYPES), None)


def _computes_with(value: Value, reason: str = "") -> UnsupportedNodeError:
    """Return the error for a node that computes with elements of a type that it cannot compute with."""
    name = value.name if isinstance(value, Constant) else _name_of(value)
    return UnsupportedNodeError(
        f"it computes with the {dtype_of_value(value)} tensor '{name}' at run time{reason}; cast that to FLOAT before"
    )


def _name_of(value: SSAValue) -> str:
    owner = value.owner
    return owner.result_name.data if isinstance(owner, top.TopOp) else str(value.name_hint)
