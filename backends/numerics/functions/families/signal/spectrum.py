"""Spectra of signals: discrete Fourier transforms (ONNX, DFT and STFT). The last axis has real and imaginary parts."""

from __future__ import annotations

import numpy as np

from ....storage import name_of
from ...function import (
    FLOATS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_alike,
    check_one_index,
    check_shape,
    check_storage,
    stored,
    taken,
)


def _infer_dft(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    if len(operands) == 2:
        x, axis_operand = operands
        check_one_index("axis", axis_operand)
        if attributes["one_sided"] or attributes["length"]:
            raise FunctionError("along a computed axis there is no one_sided and no length")
    else:
        (x,) = taken(operands, "x")
    check_storage("x", x, FLOATS)
    if len(x.shape) < 2 or x.shape[-1] not in (1, 2):
        raise FunctionError(
            f"x must have an axis of 1 or 2 parts of numbers at the end, got shape {list(x.shape)}"
        )
    if len(operands) == 2:
        return [TensorKind((*x.shape[:-1], 2), x.storage)]
    axis = _signal_axis(attributes, len(x.shape))
    length = _length(x.shape, attributes)
    if length < 1 or x.shape[axis] < 1:
        raise FunctionError(f"length must be positive, got {length} of shape {list(x.shape)}")
    one_sided, inverse = attributes["one_sided"], attributes["inverse"]
    if one_sided and not inverse and x.shape[-1] == 2:
        raise FunctionError("only the spectrum of real numbers is one-sided")
    shape = list(x.shape)
    shape[axis] = length // 2 + 1 if one_sided and not inverse else length
    shape[-1] = 1 if one_sided and inverse else 2
    return [TensorKind(tuple(shape), x.storage)]


def _signal_axis(attributes: Attributes, rank: int) -> int:
    """Return the axis of the signal. Raises FunctionError if it is that of the parts of numbers."""
    axis = axis_of(attributes, rank)
    if axis == rank - 1:
        raise FunctionError(f"axis {axis} is that of the parts of numbers")
    return axis


def _length(shape: tuple[int, ...], attributes: Attributes) -> int:
    """Return the length of the transform, by default that of the signal."""
    size = shape[attributes["axis"]]
    default = 2 * (size - 1) if attributes["one_sided"] and attributes["inverse"] else size
    return attributes["length"] or default


def _complex(x: np.ndarray) -> np.ndarray:
    """Return real and imaginary parts [..., 1 or 2] as complex numbers of f64."""
    parts = x.astype(np.float64)
    return parts[..., 0] + (1j * parts[..., 1] if x.shape[-1] == 2 else 0)


def _parts(numbers: np.ndarray, storage: str) -> np.ndarray:
    """Return complex numbers as parts [..., 2], each rounded once."""
    return stored(np.stack([np.real(numbers), np.imag(numbers)], axis=-1), storage)


def _dft(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Transform in f64; a signal that is shorter than the transform goes on with zeros."""
    x, *given = arrays
    if given:
        attributes = {**attributes, "axis": int(given[0].reshape(()))}
    axis = _signal_axis(attributes, x.ndim)
    length, storage = _length(x.shape, attributes), name_of(x.dtype)
    numbers = _complex(x)
    if not attributes["inverse"]:
        if attributes["one_sided"]:
            return [_parts(np.fft.rfft(np.real(numbers), length, axis), storage)]
        return [_parts(np.fft.fft(numbers, length, axis), storage)]
    if attributes["one_sided"]:
        return [stored(np.fft.irfft(numbers, length, axis)[..., None], storage)]
    return [_parts(np.fft.ifft(numbers, length, axis), storage)]


def _infer_stft(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    names = ("x", "window")[: 2 if len(operands) == 2 else 1]
    x, *window = taken(operands, *names)
    check_storage("x", x, FLOATS)
    if len(x.shape) != 3 or x.shape[-1] not in (1, 2):
        raise FunctionError(f"x must have shape [N, length, 1 or 2], got {list(x.shape)}")
    step, length = attributes["step"], attributes["length"]
    if step < 1 or not 1 <= length <= x.shape[1]:
        raise FunctionError(
            f"step {step} must be positive, and length {length} from 1 to the signal's {x.shape[1]}"
        )
    for each in window:
        check_alike(operands, *names)
        check_shape("window", each, (length,))
    if attributes["one_sided"] and x.shape[-1] == 2:
        raise FunctionError("only the spectrum of real numbers is one-sided")
    bins = length // 2 + 1 if attributes["one_sided"] else length
    return [TensorKind((x.shape[0], (x.shape[1] - length) // step + 1, bins, 2), x.storage)]


def _stft(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Transform the frames of a signal, each multiplied by the window."""
    x, *window = arrays
    frames = np.lib.stride_tricks.sliding_window_view(_complex(x), attributes["length"], axis=1)
    frames = frames[:, :: attributes["step"]]
    if window:
        frames = frames * window[0].astype(np.float64)
    if attributes["one_sided"]:
        return [_parts(np.fft.rfft(np.real(frames)), name_of(x.dtype))]
    return [_parts(np.fft.fft(frames), name_of(x.dtype))]


FUNCTIONS = (
    Function(
        "dft",
        "The discrete Fourier transform of x along `axis` (which may be a second operand), or with `inverse` back; of "
        "`length` elements (as many as x has if 0). With `one_sided` the spectrum is the first half, "
        "from or to real numbers.",
        _infer_dft,
        _dft,
        {
            "axis": Parameter(int, -2),
            "length": Parameter(int, 0),
            "inverse": Parameter(bool, False),
            "one_sided": Parameter(bool, False),
        },
        example=((TensorKind((1, 16, 1), "f32"),), {"one_sided": True}),
    ),
    Function(
        "stft",
        "The spectra of frames of `length` elements of the signals x [N, length, 1 or 2], one every `step` elements, "
        "each frame multiplied by window.",
        _infer_stft,
        _stft,
        {
            "step": Parameter(int),
            "length": Parameter(int),
            "one_sided": Parameter(bool, True),
        },
        example=(
            (TensorKind((1, 64, 1), "f32"), TensorKind((16,), "f32")),
            {"step": 8, "length": 16},
        ),
    ),
)
"""The functions of this family."""
