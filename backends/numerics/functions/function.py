"""What a named function is: which tensors it takes and gives, its attributes, and how it computes.

    def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        (x,) = taken(operands, "x")
        return [x]

    NEGATE = Function("negate", "-x.", _infer, lambda arrays, attributes: [-arrays[0]])

Shapes and storage types are known before anything runs; `compute` gets the values themselves as arrays of these shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..storage import STORAGE_NAMES, STORAGE_TYPES, bytes_of, dtype_of, is_float, round_to

_Plain: TypeAlias = "bool | int | float | str"
AttributeValue: TypeAlias = "_Plain | tuple[_Plain, ...]"
"""A value of an attribute: a bool, a number or a text, or a list of them."""
Attributes: TypeAlias = Mapping[str, Any]
"""The values of all attributes of a function, those that a call leaves out at their defaults."""


class FunctionError(ValueError):
    """Operands, attributes or numbers that a function is not defined for; the message says why."""


class TensorKind(NamedTuple):
    """The shape and the storage type of a tensor."""

    shape: tuple[int, ...]
    storage: str

    @property
    def size_bytes(self) -> int:
        """Bytes of the elements, side by side."""
        return bytes_of(math.prod(self.shape), self.storage)

    def __str__(self) -> str:
        return f"{self.storage}[{', '.join(map(str, self.shape))}]"


Kinds: TypeAlias = Sequence[TensorKind]
Arrays: TypeAlias = Sequence[np.ndarray]

FLOATS = tuple(name for name, row in STORAGE_TYPES.items() if row.is_float)
"""The storage types of floats."""
INTEGERS = tuple(name for name, row in STORAGE_TYPES.items() if row.dtype.kind in "iu")
"""The storage types of integers, signed and unsigned."""
SIGNED = tuple(name for name, row in STORAGE_TYPES.items() if row.dtype.kind == "i")
NUMBERS = (*INTEGERS, *FLOATS)
INDICES = ("i32", "i64")
"""The storage types of indices."""
ANY = STORAGE_NAMES


@dataclass(frozen=True)
class Parameter:
    """An attribute of a function: its type, its default (None if a call must give it), and the values that it may have
    (empty if any).
    """

    type: type[bool] | type[int] | type[float] | type[str]
    default: AttributeValue | None = None
    choices: tuple[AttributeValue, ...] = ()
    is_list: bool = False

    def checked(self, name: str, value: object) -> AttributeValue:
        """Return the value of the attribute `name` in canonical form: a tuple for a list.

        Raises FunctionError if it has another type, is not finite, or is none of the choices.
        """
        if self.is_list:
            if not isinstance(value, list | tuple):
                raise FunctionError(f"attribute '{name}' must be a list, each {self._words()}")
            return tuple(self._element(name, each) for each in value)
        return self._element(name, value)

    def _element(self, name: str, value: object) -> Any:
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise FunctionError(f"attribute '{name}' must fit 64 bits")
        if self.type is float and type(value) is int:
            value = float(value)
        if type(value) is not self.type:
            raise FunctionError(f"attribute '{name}' must be {self._words()}, got {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise FunctionError(f"attribute '{name}' must be finite, got {value}")
        if self.choices and value not in self.choices:
            known = ", ".join(map(str, self.choices))
            raise FunctionError(f"attribute '{name}' must be one of {known}, got {value!r}")
        return value

    def _words(self) -> str:
        return {bool: "true or false", int: "an integer", float: "a real", str: "a text"}[self.type]


def no_indices(operands: Kinds, attributes: Attributes) -> Mapping[int, int]:
    """Tell that no operand is indices."""
    return {}


@dataclass(frozen=True)
class Function:
    """A named function.

    Attributes:
        name: a word of small letters.
        summary: what it computes, for the reference.
        infer: returns the kinds of all results from those of the operands and the attributes; raises FunctionError if
            the function does not take them. It allocates nothing.
        compute: returns all results from the operands as arrays; raises FunctionError if the function is not defined
            for these numbers. It does not write to the operands.
        parameters: the attributes by name.
        compares: whether it compares elements, so that the least difference may change its result.
        example: operands and attributes for which the function is defined; reference pages show a call with them.
        indices: returns, by the number of an operand of indices, how many elements each of them chooses from.
        advice: what to change in a model so that engines compute it; "" if nothing helps.
    """

    name: str
    summary: str
    infer: Callable[[Kinds, Attributes], list[TensorKind]]
    compute: Callable[[Arrays, Attributes], list[np.ndarray]]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    compares: bool = False
    example: tuple[tuple[TensorKind, ...], Mapping[str, AttributeValue]] = ((), {})
    indices: Callable[[Kinds, Attributes], Mapping[int, int]] = no_indices
    advice: str = ""

    def complete(self, given: Mapping[str, object]) -> dict[str, AttributeValue]:
        """Return the values of all attributes. Raises FunctionError if one is unknown, missing or wrong."""
        for name in given:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise FunctionError(f"{self.name} has no attribute '{name}' (there are: {known})")
        values: dict[str, AttributeValue] = {}
        for name, parameter in self.parameters.items():
            value = given.get(name, parameter.default)
            if value is None:
                raise FunctionError(f"{self.name} needs the attribute '{name}'")
            values[name] = parameter.checked(name, value)
        return values


def taken(operands: Kinds, *names: str) -> Kinds:
    """Return the operands if there is one for each of `names`. Raises FunctionError otherwise."""
    if len(operands) != len(names):
        count = "1 operand" if len(names) == 1 else f"{len(names)} operands"
        raise FunctionError(f"it takes {count} ({', '.join(names)}), got {len(operands)}")
    return operands


def check_rank(name: str, operand: TensorKind, rank: int) -> None:
    """Raise FunctionError unless the operand `name` has `rank` axes."""
    if len(operand.shape) != rank:
        raise FunctionError(f"{name} must have {rank} axes, got shape {list(operand.shape)}")


def check_one_index(name: str, operand: TensorKind) -> None:
    """Raise FunctionError unless the operand `name` is one index."""
    check_storage(name, operand, INDICES)
    if math.prod(operand.shape) != 1:
        raise FunctionError(f"{name} must be one number, got shape {list(operand.shape)}")


def check_shape(name: str, operand: TensorKind, shape: Sequence[int]) -> None:
    """Raise FunctionError unless the operand `name` has a shape."""
    if operand.shape != tuple(shape):
        raise FunctionError(f"{name} must have shape {list(shape)}, got {list(operand.shape)}")


def stored(values: np.ndarray, storage: str) -> np.ndarray:
    """Return numbers in a storage type: rounded once to floats, toward zero to integers."""
    return round_to(values, storage) if is_float(storage) else values.astype(dtype_of(storage))


def wide(x: np.ndarray) -> np.ndarray:
    """Return numbers in f64, in which sums of floats are made before they are rounded once; integers as they are."""
    return x if x.dtype.kind in "iub" else x.astype(np.float64)


def check_storage(name: str, operand: TensorKind, storages: Collection[str]) -> None:
    """Raise FunctionError unless the operand `name` has one of some storage types."""
    if operand.storage not in storages:
        raise FunctionError(
            f"{name} has elements of {operand.storage}, expected {', '.join(storages)}"
        )


def check_alike(operands: Kinds, *names: str) -> str:
    """Return the storage type that all operands have. Raises FunctionError if they differ in it."""
    first = operands[0].storage
    for name, operand in zip(names, operands, strict=True):
        if operand.storage != first:
            raise FunctionError(f"{name} has elements of {operand.storage}, {names[0]} has {first}")
    return first


def axis_of(attributes: Attributes, rank: int, name: str = "axis") -> int:
    """Return the attribute `axis` as a non-negative number. Raises FunctionError if there is no such axis."""
    axis = attributes[name]
    if not -rank <= axis < rank:
        raise FunctionError(f"{name} {axis} is none of a tensor of {rank} axes")
    return axis % rank


def broadcast(operands: Kinds) -> tuple[int, ...]:
    """Return the shape to which all operands broadcast. Raises FunctionError if they do not."""
    result: list[int] = []
    rank = max(len(operand.shape) for operand in operands)
    for axis in range(rank):
        sizes = {
            operand.shape[axis - rank + len(operand.shape)]
            for operand in operands
            if axis - rank + len(operand.shape) >= 0
        } - {1}
        if len(sizes) > 1:
            listed = " and ".join(str(list(operand.shape)) for operand in operands)
            raise FunctionError(f"{listed} do not broadcast")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)
