"""Views with strides of one's own, of arrays of every storage type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided


def strided_view(
    array: np.ndarray, shape: Sequence[int], strides: Sequence[int], *, writeable: bool = True
) -> np.ndarray:
    """Return a view of the elements of `array`, from its first one on, of this shape with strides in bytes.

    The caller sees to it that the view stays inside of the array.
    """
    if array.dtype.itemsize > 1:
        return as_strided(array, shape, strides, writeable=writeable)
    # NumPy makes the view by the name of the type, and does not know that of a float of 8 bits.
    view = as_strided(array.view(np.uint8), shape, strides, writeable=writeable)
    return view.view(array.dtype)
