"""Ports and outputs as callers see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

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

    @property
    def element_type(self) -> np.dtype:
        """The dtype."""
        return self._port.dtype


class Tensor:
    """An array, as OpenVINO's requests give it."""

    def __init__(self, array: np.ndarray) -> None:
        self.data = np.asarray(array)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.data.shape

    @property
    def element_type(self) -> np.dtype:
        """The dtype."""
        return self.data.dtype


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
        return self.to_dict()[key]

    def __iter__(self) -> Iterator[Port]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)

    def __repr__(self) -> str:
        return repr(self._arrays)

    def names(self) -> list[set[str]]:
        """Return the names of each output."""
        return [port.names for port in self._ports]

    def to_dict(self) -> dict[str, np.ndarray]:
        """Return outputs by name."""
        return {port.any_name: array for port, array in self._arrays.items()}


def arrays_of(inputs: Any, ports: Sequence[Port]) -> dict[str, np.ndarray]:
    """Return inputs by name that are given by name, port or place, as a list in the order of the inputs, or alone.

    Raises KeyError for what is no input, by its key, and ValueError if there are more inputs than the model has.
    """
    if inputs is None:
        return {}
    if isinstance(inputs, Mapping):
        found: dict[str, np.ndarray] = {}
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


def _array(value: Any) -> np.ndarray:
    return value.data if isinstance(value, Tensor) else np.asarray(value)
