"""Concatenation, slices, padding and gathers against plain loops over elements."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.numerics import movement

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=3)


def numbers(shape):
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


@given(SHAPES, st.integers(1, 2), st.data())
def test_concat(shape, samples, data):
    axis = data.draw(st.integers(-len(shape), -1))
    parts = []
    for count in (1, samples):
        own = list(shape)
        own[axis] = data.draw(st.integers(1, 4))
        parts.append(numbers((count, *own)) + 100 * len(parts))
    found = movement.concat(parts, axis)
    border = parts[0].shape[axis]
    for index in np.ndindex(found.shape):
        place = list(index)
        part = parts[0]
        if place[axis] >= border:
            place[axis] -= border
            part = parts[1]
        place[0] = min(place[0], len(part) - 1)
        assert found[index] == part[tuple(place)]


@given(SHAPES, st.data())
def test_slice(shape, data):
    x = numbers((2, *shape))
    taken = []
    for size in shape:
        start, step = (
            data.draw(st.integers(0, size - 1)),
            data.draw(st.sampled_from([1, 2, -1, -3])),
        )
        room = (size - 1 - start) // step if step > 0 else start // -step
        taken.append((start, data.draw(st.integers(0, room + 1)), step))
    found = movement.slice_of(x, *zip(*taken, strict=True))
    assert found.shape == (2, *(size for _, size, _ in taken))
    for index in np.ndindex(found.shape):
        place = (a + i * step for i, (a, _, step) in zip(index[1:], taken, strict=True))
        assert found[index] == x[(index[0], *place)]


@given(SHAPES, st.data())
def test_pad(shape, data):
    pads = [(data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))) for _ in shape]
    x = numbers((2, *shape))
    low, high = zip(*pads, strict=True)
    found = movement.pad(x, low, high, -7.0)
    assert found.dtype == x.dtype
    assert found.shape == (2, *(a + n + b for n, (a, b) in zip(shape, pads, strict=True)))
    for index in np.ndindex(found.shape):
        place = [i - a for i, a in zip(index[1:], low, strict=True)]
        inside = all(0 <= p < n for p, n in zip(place, shape, strict=True))
        assert found[index] == (x[(index[0], *place)] if inside else -7)


def test_gather():
    x = numbers((2, 3, 4))
    for axis, indices in itertools.product((-1, -2), ([2, 0, 0], [1])):
        found = movement.gather(x, axis, indices)
        for position, index in enumerate(indices):
            expected = np.moveaxis(x, axis, 0)[index]
            np.testing.assert_array_equal(np.moveaxis(found, axis, 0)[position], expected)


@pytest.mark.parametrize(("number", "stored"), [(0.0, 3), (1.0, 5), (0.3, 4), (1e9, 127)])
def test_stored_number(number, stored):
    assert movement.stored_number(number, 0.5, 3, "i8") == stored
