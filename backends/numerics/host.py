"""The functions that the host computes for the device: named ones along one axis of an array, and conversions between
integers and floats.

Arrays are [..., outer, length, inner], with the axis in the middle; results are [..., outer, out_length, inner].
Definitions are those of ONNX's operators of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .storage import NETWORK_FLOAT_NAMES, POSITION_NAMES, dtype_of

_AXIS = -2
_CONVERTIBLE = (*POSITION_NAMES, *NETWORK_FLOAT_NAMES)


@dataclass(frozen=True)
class HostFunction:
    """A function of the host.

    `compute` takes x [..., outer, length, inner], and `out_length` and the function's own `flags` as keywords. `takes`
    lists the storage types that the operand may have. `gives` is the storage type of the result; None stands for the
    operand's. `lengths` says what out_length may be: "one", "same" (as length) or "fewer" (0 to length). `compares` is
    True for a function that compares elements, so that the least difference may change its result. `along_axis` is
    False for a function that computes each element by itself.
    """

    compute: Callable[..., np.ndarray]
    lengths: str
    flags: tuple[str, ...] = ()
    takes: tuple[str, ...] = NETWORK_FLOAT_NAMES
    gives: str | None = None
    compares: bool = False
    along_axis: bool = True


def _extreme(choose: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def compute(x: np.ndarray, *, out_length: int, last: bool) -> np.ndarray:
        """Return the first position of the extreme, or the last one."""
        if not last:
            return choose(x, axis=_AXIS)[..., None, :].astype(np.int64)
        found = choose(np.flip(x, _AXIS), axis=_AXIS)[..., None, :].astype(np.int64)
        return x.shape[_AXIS] - 1 - found

    return compute


def _cumsum(x: np.ndarray, *, out_length: int, exclusive: bool, reverse: bool) -> np.ndarray:
    """Compute running sums, in f64 and rounded once.

    `exclusive`: each sum is of the elements before its own. `reverse`: sums start at the end of the axis.
    """
    sums = np.cumsum(np.flip(x, _AXIS) if reverse else x, axis=_AXIS, dtype=np.float64)
    if exclusive:
        sums = np.concatenate((np.zeros_like(sums[..., :1, :]), sums[..., :-1, :]), axis=_AXIS)
    return (np.flip(sums, _AXIS) if reverse else sums).astype(x.dtype)


def _top_k(x: np.ndarray, largest: bool, count: int) -> np.ndarray:
    """Return the positions of the `count` largest or smallest elements, sorted; of equal elements the first comes
    first.
    """
    if not largest:
        return np.argsort(x, axis=_AXIS, kind="stable")[..., :count, :]
    # Sorted backwards and read from the end on, so that equal elements keep their order.
    order = np.argsort(np.flip(x, _AXIS), axis=_AXIS, kind="stable")
    return (x.shape[_AXIS] - 1 - np.flip(order, _AXIS))[..., :count, :]


def _top_k_indices(x: np.ndarray, *, out_length: int, largest: bool) -> np.ndarray:
    return _top_k(x, largest, out_length).astype(np.int64)


def _top_k_values(x: np.ndarray, *, out_length: int, largest: bool) -> np.ndarray:
    return np.take_along_axis(x, _top_k(x, largest, out_length), _AXIS)


def _conversion(storage: str) -> HostFunction:
    """Return the function that converts integers and floats to a storage type, as NumPy does: floats to integers
    toward zero, integers to floats rounded once.
    """

    def compute(x: np.ndarray, *, out_length: int) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return x.astype(dtype_of(storage))

    return HostFunction(compute, "same", takes=_CONVERTIBLE, gives=storage, along_axis=False)


HOST_FUNCTIONS: Mapping[str, HostFunction] = {
    "argmax": HostFunction(_extreme(np.argmax), "one", ("last",), gives="i64", compares=True),
    "argmin": HostFunction(_extreme(np.argmin), "one", ("last",), gives="i64", compares=True),
    "cumsum": HostFunction(_cumsum, "same", ("exclusive", "reverse")),
    "top_k_indices": HostFunction(
        _top_k_indices, "fewer", ("largest",), gives="i64", compares=True
    ),
    "top_k_values": HostFunction(_top_k_values, "fewer", ("largest",), compares=True),
    **{f"to_{name}": _conversion(name) for name in _CONVERTIBLE},
}
"""Every function that the host has, by name."""

AXIS_FUNCTIONS = tuple(name for name, known in HOST_FUNCTIONS.items() if known.along_axis)
"""The functions to which the axis means something."""

FLAGS = ("largest", "last", "exclusive", "reverse")
"""The flags of all functions: top_k takes the largest elements and not the smallest; argmax and argmin give the last
position and not the first; cumsum leaves out the element itself; cumsum starts at the end."""


def call_function(
    function: str, x: np.ndarray, out_length: int, flags: Mapping[str, int]
) -> np.ndarray:
    """Compute the host's `function` of x [..., outer, length, inner]: [..., outer, out_length, inner].

    Of `flags` it uses those that the function has.
    """
    known = HOST_FUNCTIONS[function]
    own = {name: bool(flags[name]) for name in known.flags}
    return np.ascontiguousarray(known.compute(x, out_length=out_length, **own))
