"""A constant of an exported model, whose data stay where they are until the model is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from onnx import TensorProto

from ...backends.numerics.packing import pack, packed_bytes
from ...backends.numerics.storage import FILE_PACKED_NAMES
from .schema import element_type


@dataclass(frozen=True)
class Initializer:
    """The constant `name` with elements of a storage type; `load` returns its array, which may be a view of a file."""

    name: str
    storage: str
    shape: tuple[int, ...]
    load: Callable[[], np.ndarray]

    @property
    def size_bytes(self) -> int:
        """Bytes of the elements, several of which share one if they are smaller."""
        return packed_bytes(prod(self.shape), self.storage)

    def data(self) -> memoryview:
        """Return the bytes of the elements, row by row, without a copy where the array is contiguous; elements of less
        than a byte are packed.
        """
        array = np.ascontiguousarray(self.load())
        if self.storage in FILE_PACKED_NAMES:
            return pack(array, self.storage).data
        return array.reshape(-1).view(np.uint8).data

    def header(self) -> TensorProto:
        """Return the tensor without its data."""
        tensor = TensorProto(name=self.name, data_type=element_type(self.storage))
        tensor.dims.extend(self.shape)
        return tensor

    def tensor(self) -> TensorProto:
        """Return the tensor with its data inside."""
        tensor = self.header()
        tensor.raw_data = bytes(self.data())
        return tensor
