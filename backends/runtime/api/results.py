"""Ports and outputs as callers see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ..devices.served_model import ServedPort


class Port:
    """An input or output of a compiled model."""

    def __init__(self, port: ServedPort) -> None:
        self._port = port

    def __repr__(self) -> str:
        sizes = ",".join("?" if size is None else str(size) for size in self._port.shape)
        return f"<Port: names[{self.any_name}] shape[{sizes}] type: {self.element_type}>"

    @property
    def any_name(self) -> str:
        """The tensor's name."""
        return self._port.name

    def get_any_name(self) -> str:
        """Return the tensor's name."""
        return self._port.name

    @property
    def names(self) -> set[str]:
        """The tensor's names: there is one."""
        return {self._port.name}

    def get_names(self) -> set[str]:
        """Return the tensor's names."""
        return self.names

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape. Raises ValueError if the model leaves a size open; `partial_shape` has what is known."""
        if None in self._port.shape:
            raise ValueError(f"the shape of '{self.any_name}' is not known: {self.partial_shape}")
        return tuple(size for size in self._port.shape if size is not None)

    @property
    def partial_shape(self) -> tuple[int | None, ...]:
        """The shape, with None for sizes that the model leaves open."""
        return self._port.shape

    def get_shape(self) -> tuple[int, ...]:
        """Return the shape. Raises ValueError as `shape`."""
        return self.shape

    def get_partial_shape(self) -> tuple[int | None, ...]:
        """Return the shape, with None for sizes that the model leaves open."""
        return self.partial_shape

    @property
    def element_type(self) -> np.dtype:
        """The dtype."""
        return self._port.dtype

    def get_element_type(self) -> np.dtype:
        """Return the dtype."""
        return self.element_type

    def empty(self) -> np.ndarray:
        """Return zeros of the port's shape and dtype, none along axes that the model leaves open."""
        return np.zeros([size or 0 for size in self._port.shape], self._port.dtype)


class Tensor:
    """An array, as OpenVINO's requests give it: a copy of the one that is given, or itself if memory is shared."""

    def __init__(self, array: np.ndarray, shared_memory: bool = False) -> None:
        self._array = np.asarray(array) if shared_memory else np.array(array)

    def __repr__(self) -> str:
        sizes = ",".join(map(str, self.shape))
        return f"<Tensor: shape[{sizes}] type: {self.element_type}>"

    @property
    def data(self) -> np.ndarray:
        """The array, to be read and written."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape. Another one may be set: then the tensor holds zeros, unless there are as many elements."""
        return self.data.shape

    @shape.setter
    def shape(self, shape: Sequence[int]) -> None:
        sizes = tuple(shape)
        if any(size < 0 for size in sizes):
            raise DiagnosticError(f"a tensor cannot have shape {list(sizes)}")
        fits = int(np.prod(sizes)) == self.data.size
        self._array = self.data.reshape(sizes) if fits else np.zeros(sizes, dtype=self.data.dtype)

    def get_shape(self) -> tuple[int, ...]:
        """Return the shape."""
        return self.shape

    def set_shape(self, shape: Sequence[int]) -> None:
        """Set the shape, as `shape` does."""
        self.shape = shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    def get_size(self) -> int:
        """Return the number of elements."""
        return self.size

    @property
    def byte_size(self) -> int:
        """The size in bytes."""
        return self.data.nbytes

    def get_byte_size(self) -> int:
        """Return the size in bytes."""
        return self.byte_size

    @property
    def element_type(self) -> np.dtype:
        """The dtype."""
        return self.data.dtype

    def get_element_type(self) -> np.dtype:
        """Return the dtype."""
        return self.element_type


class Results(Mapping[Any, np.ndarray]):
    """Outputs by port; a name or a place among the outputs finds them too."""

    def __init__(self, ports: Sequence[Port], arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = {port: arrays[port.any_name] for port in ports}
        self._ports = list(ports)

    def __getitem__(self, key: Port | str | int) -> np.ndarray:
        if isinstance(key, Port):
            return self._arrays[key]
        if isinstance(key, int):
            if not 0 <= key < len(self._ports):
                raise KeyError(key)
            return self._arrays[self._ports[key]]
        return {port.any_name: array for port, array in self._arrays.items()}[key]

    def __iter__(self) -> Iterator[Port]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)

    def __repr__(self) -> str:
        return repr(self._arrays)

    def names(self) -> tuple[set[str], ...]:
        """Return the names of each output."""
        return tuple(port.names for port in self._ports)

    def to_dict(self) -> dict[Port, np.ndarray]:
        """Return outputs by port."""
        return dict(self._arrays)


def given_inputs(inputs: Any, ports: Sequence[Port]) -> dict[str, Tensor | np.ndarray]:
    """Return inputs by name that are given by name, port or place, as a list in the order of the inputs, or alone.

    Raises KeyError for what is no input, by its key, and ValueError if there are more inputs than the model has.
    """
    if inputs is None:
        return {}
    if isinstance(inputs, Mapping):
        found: dict[str, Tensor | np.ndarray] = {}
        for key, value in inputs.items():
            if isinstance(key, int) and not 0 <= key < len(ports):
                raise KeyError(key)
            name = (
                key.any_name
                if isinstance(key, Port)
                else ports[key].any_name
                if isinstance(key, int)
                else key
            )
            if name not in {port.any_name for port in ports}:
                raise KeyError(name)
            found[name] = _array(value)
        return found
    given = inputs if isinstance(inputs, list | tuple) else [inputs]
    if len(given) > len(ports):
        raise ValueError(f"{len(given)} inputs are given, and the model has {len(ports)}")
    return {port.any_name: _array(value) for port, value in zip(ports, given, strict=False)}


def _array(value: Any) -> Tensor | np.ndarray:
    return value if isinstance(value, Tensor) else np.asarray(value)
