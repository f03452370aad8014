"""Sliding windows over channel-last images: sizes, padding, bounded slabs, tap views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..rounding_up import ceil_div

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels."""


def window_extent(kernel: int, dilation: int) -> int:
    """Return how many positions of an axis a window spans, from its first tap to its last."""
    return (kernel - 1) * dilation + 1


def conv_output_size(
    size: int, kernel: int, stride: int, dilation: int, pad_begin: int, pad_end: int
) -> int:
    """Count the positions of a window along one axis: floor((size + pads - extent) / stride) + 1, at least 0.

    The extent is that of `window_extent` (ONNX, Conv). Raises ValueError if kernel, stride or dilation is below 1.
    """
    if min(kernel, stride, dilation) < 1:
        raise ValueError("kernel, stride and dilation must be at least 1")
    room = size + pad_begin + pad_end - window_extent(kernel, dilation)
    return max(room // stride + 1, 0)


def pool_output_size(
    size: int,
    kernel: int,
    stride: int,
    dilation: int,
    pad_begin: int,
    pad_end: int,
    ceil_mode: bool = False,
) -> int:
    """Count the positions of a pooling window along one axis.

    With `ceil_mode` the last window may reach past the padded input.

    A position that would start in the end padding or past it is left out (ONNX, MaxPool, since
    opset 19's clarification).
    """
    count = conv_output_size(size, kernel, stride, dilation, pad_begin, pad_end)
    if not ceil_mode:
        return count
    room = size + pad_begin + pad_end - window_extent(kernel, dilation)
    count = max(ceil_div(room, stride) + 1, 0)
    if count and (count - 1) * stride >= size + pad_begin:
        count -= 1
    return count


@dataclass(frozen=True)
class WindowGeometry:
    """Where the windows over images of `height` x `width` lie; every pair is (vertical,
    horizontal), in pixels.

    Window (y, x) begins `strides` * (y, x) - `pad_begin` and has kernel taps at multiples of
    `dilations`.
    """

    height: int
    width: int
    kernel: Pair
    strides: Pair
    dilations: Pair
    pad_begin: Pair
    output: Pair

    @staticmethod
    def of(
        height: int,
        width: int,
        kernel: Pair,
        strides: Pair,
        dilations: Pair,
        pads: Pads,
        output: Pair | None = None,
    ) -> WindowGeometry:
        """Return the geometry, with as many windows as fit the padded image, or as `output` says."""
        if output is None:
            output = (
                conv_output_size(height, kernel[0], strides[0], dilations[0], pads[0], pads[2]),
                conv_output_size(width, kernel[1], strides[1], dilations[1], pads[1], pads[3]),
            )
        elif min(*kernel, *strides, *dilations) < 1 or min(output) < 0:
            raise ValueError("kernel, strides and dilations must be at least 1, output sizes 0")
        return WindowGeometry(height, width, kernel, strides, dilations, (pads[0], pads[1]), output)

    @property
    def extent(self) -> Pair:
        """Height and width in pixels that one window spans."""
        return (
            window_extent(self.kernel[0], self.dilations[0]),
            window_extent(self.kernel[1], self.dilations[1]),
        )

    def source_height(self, rows: int) -> int:
        """Count the image rows under `rows` rows of windows."""
        return (rows - 1) * self.strides[0] + self.extent[0]

    @property
    def source_width(self) -> int:
        """Image columns under a row of windows."""
        return (self.output[1] - 1) * self.strides[1] + self.extent[1]

    def source(
        self, images: np.ndarray, first_row: int, rows: int, pad_value: float, dtype: np.dtype
    ) -> np.ndarray:
        """Cut out what `rows` rows of windows from `first_row` on see of images[n, h, w, c]: [n, hs, ws, c] as `dtype`.

        The result is contiguous; pixels outside the image hold `pad_value`.
        """
        count, _, _, channels = images.shape
        height, width = self.source_height(rows), self.source_width
        top = first_row * self.strides[0] - self.pad_begin[0]
        left = -self.pad_begin[1]
        y0, y1 = max(top, 0), min(top + height, self.height)
        x0, x1 = max(left, 0), min(left + width, self.width)
        inside = (y0, x0) == (top, left) and (y1, x1) == (top + height, left + width)
        if inside:
            return np.ascontiguousarray(images[:, y0:y1, x0:x1], dtype=dtype)
        result = np.full((count, height, width, channels), pad_value, dtype=dtype)
        if y0 < y1 and x0 < x1:
            result[:, y0 - top : y1 - top, x0 - left : x1 - left] = images[:, y0:y1, x0:x1]
        return result

    def taps(self, source: np.ndarray, rows: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield each tap (i, j), in order, with the elements under it: [n, rows, out width * c], each row contiguous.

        `source` is the result of the method `source`. If there is a horizontal stride, the columns of each phase are
        copied once, so that the inner loops run over whole rows.
        """
        count, height, _, channels = source.shape
        stride, out_width = self.strides[1], self.output[1]
        phases: dict[int, np.ndarray] = {}
        for i in range(self.kernel[0]):
            top = i * self.dilations[0]
            bottom = top + (rows - 1) * self.strides[0] + 1
            for j in range(self.kernel[1]):
                skip, phase = divmod(j * self.dilations[1], stride)
                if phase not in phases:
                    columns = (
                        source if stride == 1 else np.ascontiguousarray(source[:, :, phase::stride])
                    )
                    phases[phase] = columns.reshape(count, height, -1)
                left = skip * channels
                row = phases[phase][:, top : bottom : self.strides[0]]
                yield i, j, row[:, :, left : left + out_width * channels]

    def slabs(
        self, images: int, row_bytes: int, budget_bytes: int
    ) -> Iterator[tuple[slice, slice]]:
        """Yield pieces of the output (images, rows) of about `budget_bytes`; one row of windows takes `row_bytes`."""
        rows = self.output[0]
        if not (images and rows and self.output[1]):
            return
        fit = max(1, budget_bytes // max(row_bytes, 1))
        image_step = max(1, fit // rows)
        row_step = rows if image_step > 1 else min(rows, fit)
        for image in range(0, images, image_step):
            for row in range(0, rows, row_step):
                yield (
                    slice(image, min(image + image_step, images)),
                    slice(row, min(row + row_step, rows)),
                )

    def counts(self, pads: Pads) -> np.ndarray:
        """Count the taps of each window that lie inside the image enlarged by `pads`: int64 [out height, out width]."""

        def along(axis: int, low: int, high: int) -> np.ndarray:
            begin = np.arange(self.output[axis]) * self.strides[axis] - self.pad_begin[axis]
            at = begin[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            return ((at >= low) & (at < high)).sum(axis=1)

        vertical = along(0, -pads[0], self.height + pads[2])
        return np.multiply.outer(vertical, along(1, -pads[1], self.width + pads[3]))
