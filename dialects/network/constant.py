"""What the constants of top and tpu have in common: where their data come from, and how they are read."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, StringAttr
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.storage import SMALL_INTEGER_NAMES, dtype_of
from ..ir.attribute import Integer, optional_dense, optional_integer, optional_text
from ..ir.field import prop
from ..ir.weights import WeightStore, seeded
from ..quant.element_type import element_storage, type_of_storage
from .shape import Shape
from .tensor_op import TensorOp


class WeightBase(TensorOp):
    """A constant tensor, given by a key in the weight store, by a seed (reproducible random values), or as a small
    `dense<>`.
    """

    key: StringAttr | None = prop(converter=optional_text, default=None)
    seed: Integer | None = prop(converter=optional_integer, default=None)
    value: DenseIntOrFPElementsAttr | None = prop(converter=optional_dense, default=None)

    def expected_shape(self) -> Shape:
        return self.output.type.get_shape()

    def verify_source(self) -> None:
        """Raise VerifyException unless the weight has exactly one source, its elements have a storage type, and a
        `dense<>` fits the result's storage type and shape.
        """
        sources = {"key": self.key, "seed": self.seed, "value": self.value}
        given = [name for name, source in sources.items() if source is not None]
        if len(given) != 1:
            listed = " and ".join(given) or "none of them"
            raise VerifyException(f"exactly one of key, seed and value is needed, got {listed}")
        if self.seed is not None and self.seed.value.data < 0:
            raise VerifyException(f"seed {self.seed.value.data} must be at least 0")
        type = self.output.type
        try:
            stored = type_of_storage(element_storage(type))
        except ValueError as error:
            raise VerifyException(str(error)) from None
        if self.value is None:
            return
        if self.value.get_shape() != type.get_shape():
            raise VerifyException(
                f"value has shape {list(self.value.get_shape())}, the result "
                f"{list(type.get_shape())}"
            )
        if self.value.get_element_type() != stored:
            raise VerifyException(
                f"value has elements of {self.value.get_element_type()}, expected {stored}"
            )


def value_of(op: WeightBase, store: WeightStore) -> np.ndarray:
    """Return the value of a `top.weight` or `tpu.weight`, in the storage type of its type. An array that comes from the
    store is read-only.

    Raises DiagnosticError if the store has no such key, or holds another type or shape under it.
    """
    storage, shape = element_storage(op.output.type), op.output.type.get_shape()
    if op.key is not None:
        place = Place(name=f"{op.name} '{op.result_name.data}'")
        if op.key.data not in store:
            raise DiagnosticError(
                f"no weight '{op.key.data}' in the weight store",
                place,
                hint="keep the .safetensors file that the IR names in 'smalti.weights' beside it",
            )
        found = store.info(op.key.data)
        if found != (storage, shape):
            raise DiagnosticError(
                f"weight '{op.key.data}' is {found[0]} {list(found[1])} in the store, the op "
                f"says {storage} {list(shape)}",
                place,
            )
        return store.get(op.key.data)
    if op.seed is not None:
        return seeded(op.seed.value.data, shape, storage)
    assert op.value is not None, "the verifier lets through one source of the value"
    return _dense_array(op.value, storage).reshape(shape)


def _dense_array(value: DenseIntOrFPElementsAttr, storage: str) -> np.ndarray:
    """Return the elements of a `dense<>` attribute as an array [n] of the storage type, without going through Python
    lists.
    """
    data = value.data.data
    if storage in SMALL_INTEGER_NAMES:
        return np.frombuffer(data, np.int8).astype(dtype_of(storage))
    if storage == "bool":
        return np.frombuffer(data, np.uint8).astype(np.bool_)
    return np.frombuffer(data, dtype_of(storage))
