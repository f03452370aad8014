"""How an input or output of a program holds a tensor of the model, and the conversions between the two."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..quantization import Quantization, cast
from ..storage import SMALL_NAMES, STORAGE_TYPES, integer_range, is_float, storage_type
from .small_numbers import as_small

MODEL_LAYOUT = "model"
"""The layout of a tensor whose axes lie in the model's own order."""
LAYOUTS: tuple[str, ...] = (MODEL_LAYOUT, "nhwc")
"""The layouts that an input or output can be given."""
IMAGE_RANK = 4
"""The axes of a tensor that a layout other than the model's is for: [N, C, H, W]."""


def order_of(layout: str, rank: int) -> tuple[int, ...]:
    """Return the axes of a tensor [N, C, H, W] of this `rank` as they lie in memory, outermost first; a tensor of
    another rank lies as the model has it.

    Raises ValueError if there is no such layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout '{layout}', there are {', '.join(LAYOUTS)}")
    if layout == MODEL_LAYOUT or rank != IMAGE_RANK:
        return tuple(range(rank))
    return (0, 2, 3, 1)


def layout_of(order: tuple[int, ...]) -> str:
    """Return the name of the layout in which axes lie in this order; the axes by number if it has no name."""
    named = {order_of(layout, len(order)): layout for layout in reversed(LAYOUTS)}
    return named.get(order) or "order " + " ".join(map(str, order))


@dataclass(frozen=True)
class PortFormat:
    """How an input or output of a program holds a tensor of the model.

    The model's tensor has the `shape` and elements of storage type `model`. The port has elements of storage type
    `storage`, in integers that stand for real numbers if there is a `quantization`; its axes are the model's in the
    `order` in which they lie in memory, outermost first, without padding.
    """

    shape: tuple[int, ...]
    storage: str
    order: tuple[int, ...]
    model: str
    quantization: Quantization | None = None

    @staticmethod
    def plain(shape: tuple[int, ...], storage: str) -> PortFormat:
        """Return the format of a port that holds a tensor as the model has it."""
        return PortFormat(shape, storage, tuple(range(len(shape))), storage)

    def error(self) -> str | None:
        """Return why there can be no such port, or None if there can."""
        unknown = [name for name in (self.storage, self.model) if name not in STORAGE_TYPES]
        if unknown:
            return f"there is no storage type '{unknown[0]}'"
        if sorted(self.order) != list(range(len(self.shape))):
            return f"order {list(self.order)} is no permutation of {len(self.shape)} axes"
        if self.quantization is None:
            if self.storage != self.model and not (is_float(self.storage) and is_float(self.model)):
                return f"{self.model} cannot become {self.storage} without a scale"
            return None
        if not is_float(self.model) or storage_type(self.storage).dtype.kind not in "iu":
            return f"a scale turns floats into integers, not {self.model} into {self.storage}"
        if storage_type(self.storage).bits > 32:
            return f"quantized integers have at most 32 bits, not those of {self.storage}"
        scale, zero_point = self.quantization.scale, self.quantization.zero_point
        low, high = integer_range(self.storage)
        if not (scale > 0 and isfinite(scale)):
            return f"a scale is a positive number, not {scale}"
        if not low <= zero_point <= high:
            return f"zero point {zero_point} is beyond {self.storage}"
        return None

    @property
    def layout(self) -> str:
        """The name of the port's layout."""
        return layout_of(self.order)

    @property
    def is_plain(self) -> bool:
        """Whether the port holds the tensor as the model has it."""
        return self == PortFormat.plain(self.shape, self.storage)

    @property
    def port_shape(self) -> tuple[int, ...]:
        """The sizes of the port's axes, outermost first."""
        return tuple(self.shape[axis] for axis in self.order)

    def array_type(self, raw: bool) -> tuple[tuple[int, ...], str]:
        """Return shape and storage type of the arrays that stand for the tensor: the model's or, if `raw`, the
        port's.
        """
        return (self.port_shape, self.storage) if raw else (self.shape, self.model)

    def raw_array(self, array: np.ndarray) -> np.ndarray:
        """Return an array as one of the port's elements, which it must have already.

        Files know no bf16 and no small elements, and hold wider ones instead. Raises ValueError if the array has other
        elements.
        """
        dtype = storage_type(self.storage).dtype
        if array.dtype == dtype:
            return array
        if self.storage == "bf16" and array.dtype == np.float32:
            held = cast(array, self.storage, None, None)
            if np.array_equal(held.astype(np.float32), array, equal_nan=True):
                return held
        small = as_small(array, self.storage) if self.storage in SMALL_NAMES else None
        if small is not None:
            return small
        raise ValueError(f"it has type {array.dtype}, the port holds {self.storage}")

    def raw_hint(self, raw: bool) -> str | None:
        """Return what to say to who gave an array that does not fit, about the two ways to give one; None if there is
        only one.
        """
        if self.is_plain:
            return None
        (sizes, storage), name = self.array_type(not raw), "without" if raw else "with"
        return f"{name} --raw-io (raw_io=True) it is an array {list(sizes)} of {storage}"

    def stored(self, array: np.ndarray, raw: bool = False) -> np.ndarray:
        """Return an array of `array_type`, with an axis of samples before its own, as [S, the model's shape] in the
        port's elements.
        """
        if raw:
            return self.out_of_order(array)
        if self.storage == self.model:
            return array
        return cast(array, self.storage, None, self.quantization)

    def given(self, stored: np.ndarray, raw: bool = False) -> np.ndarray:
        """Return the array of `array_type` for one of [S, the model's shape] in the port's elements: what `stored`
        undoes.
        """
        if raw:
            return self.in_order(stored)
        if self.storage == self.model:
            return stored
        return cast(stored, self.model, self.quantization, None)

    def in_order(self, stored: np.ndarray) -> np.ndarray:
        """Return [S, the model's shape] as [S, the port's shape]."""
        return stored.transpose(0, *(1 + axis for axis in self.order))

    def out_of_order(self, held: np.ndarray) -> np.ndarray:
        """Return [S, the port's shape] as [S, the model's shape]."""
        return held.transpose(0, *(1 + int(axis) for axis in np.argsort(self.order)))

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.port_shape)) or "scalar"
        text = f"{sizes} {self.storage}"
        if self.layout != MODEL_LAYOUT:
            text += f" {self.layout}"
        if self.is_plain:
            return text
        if self.quantization is not None:
            text += (
                f", scale {self.quantization.scale:.6g} zero point {self.quantization.zero_point}"
            )
        return f"{text}; in the model {'x'.join(map(str, self.shape)) or 'scalar'} {self.model}"
