"""Descriptors of DMA transfers: the same elements to the same places, in as few transfers as four
strides allow.
"""

from collections.abc import Iterable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.passes.tile_to_isa.transfers import (
    Descriptor,
    descriptors,
    descriptors_of_bytes,
)
from smalti.passes.tiling.strided_copy import StridedCopy

axes = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 90), st.integers(0, 90)), min_size=0, max_size=6
)


def bytes_moved(box: StridedCopy, size: int):
    """(source byte, target byte) of everything copied and the target bytes filled, from the box's
    definition.
    """
    copied, filled = set(), set()
    steps = [
        (*strides[: len(box.sizes) - 1], 1) for strides in (box.source_strides, box.target_strides)
    ]
    for index in product(*(range(n) for n in box.sizes)):
        source = box.source_offset + sum(i * s for i, s in zip(index, steps[0], strict=True))
        target = box.target_offset + sum(i * s for i, s in zip(index, steps[1], strict=True))
        copied |= {(source * size + b, target * size + b) for b in range(size)}
        if index[-1] == box.sizes[-1] - 1:
            filled |= {(target + 1) * size + b for b in range(box.pad * size)}
    return copied, filled


def bytes_of_transfers(box: StridedCopy, size: int):
    """The same from the descriptors."""
    return bytes_of_descriptors(descriptors(box, size))


def bytes_of_descriptors(transfers: Iterable[Descriptor]):
    copied, filled = set(), set()
    for d in transfers:
        assert len(d.counts) == len(d.source_strides) == len(d.target_strides) == 4
        for index in product(*(range(n) for n in d.counts)):
            source = d.source + sum(i * s for i, s in zip(index, d.source_strides, strict=True))
            target = d.target + sum(i * s for i, s in zip(index, d.target_strides, strict=True))
            copied |= {(source + b, target + b) for b in range(d.run)}
            filled |= {target + d.run + b for b in range(d.pad)}
    return copied, filled


@settings(max_examples=50)
@given(
    axes, st.integers(1, 5), st.integers(0, 9), st.integers(0, 9), st.integers(0, 3),
    st.sampled_from([1, 4]),
)  # fmt: skip
def test_transfers_move_what_the_box_says(outer, run, source, target, pad, size):
    box = StridedCopy(
        (*(n for n, _, _ in outer), run),
        source,
        (*(s for _, s, _ in outer), 1),
        target,
        (*(t for _, _, t in outer), 1),
        pad,
    )
    assert bytes_of_transfers(box, size) == bytes_moved(box, size)


def test_a_dense_box_is_one_run():
    box = StridedCopy((4, 5, 6), 0, (30, 6, 1), 0, (30, 6, 1))
    (transfer,) = descriptors(box, 2)
    assert transfer.run == 240 and transfer.counts == (1, 1, 1, 1)


def test_padding_keeps_runs_apart_but_joins_their_axes():
    box = StridedCopy((4, 5, 6), 0, (30, 6, 1), 0, (40, 8, 1), 2)
    (transfer,) = descriptors(box, 1)
    assert transfer.run == 6 and transfer.pad == 2 and transfer.counts == (20, 1, 1, 1)


def test_five_strides_take_a_transfer_for_each_index_of_the_shortest_axis():
    box = StridedCopy((3, 2, 5, 4, 6, 1), 0, (1000, 31, 61, 97, 7, 1), 0, (500, 41, 53, 11, 3, 1))
    assert len(list(descriptors(box, 1))) == 2


@settings(max_examples=100)
@given(st.data())
def test_transfers_of_bytes_move_them(data):
    """Any bytes, packed or left where they are."""
    sources = np.array(sorted(data.draw(st.sets(st.integers(0, 60), min_size=1))))
    targets = data.draw(st.sampled_from([np.arange(len(sources)), sources + 7]))
    copied, filled = bytes_of_descriptors(descriptors_of_bytes(sources, targets))
    assert copied == set(zip(sources.tolist(), targets.tolist(), strict=True)) and not filled


@pytest.mark.parametrize(
    "outer", [(), (5,), (4, 5), (3, 4, 5), (2, 3, 4, 5)], ids=lambda counts: f"{len(counts)} axes"
)
def test_bytes_of_a_box_are_one_transfer(outer: tuple[int, ...]):
    memory = np.arange(8**4 * 64).reshape(8, 8, 8, 8, 64)
    counts = (*(1,) * (4 - len(outer)), *outer)
    sources = memory[(*(slice(count) for count in counts), slice(3, 9))].ravel()
    (transfer,) = descriptors_of_bytes(sources, np.arange(len(sources)))
    assert transfer.run == 6
    assert sorted(n for n in transfer.counts if n > 1) == sorted(outer)
