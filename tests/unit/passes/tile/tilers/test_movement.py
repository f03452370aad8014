"""Tiling concatenations, slices, paddings and gathers changes nothing, on a machine with hardly any memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.dialects import tpu
from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue

from .test_tiling_equivalence import SETTINGS, Network, check, networks, sizes
from .test_tiling_equivalence import tiny as tiny


def shape_of(draw: Any, low: int = 1, rank: int = 4) -> list[int]:
    """A shape of one to `rank` axes."""
    return [draw(sizes(low, 12)) for _ in range(draw(sizes(1, rank)))]


@SETTINGS
@given(networks(), st.data())
def test_concat(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = shape_of(draw)
    axis = draw(sizes(0, len(shape) - 1))
    element = network.element()
    network.element = lambda: element  # all inputs are quantized alike

    def part() -> SSAValue:
        own = [draw(sizes(1, 20)) if d == axis else size for d, size in enumerate(shape)]
        if network.quantized and draw(st.booleans()):
            return network.weight(network.rng.integers(-128, 128, own).astype(np.int8), element)
        return network.input(*own)

    parts = [network.input(*shape), *(part() for _ in range(draw(sizes(0, 3))))]
    if draw(st.booleans()):
        parts.append(parts[0])
    check(network, network.add(tpu.ConcatOp("concat", parts, axis=axis)), tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_slice(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = shape_of(draw)
    x = network.input(*shape)
    taken: list[range] = []
    for size in shape:
        low = draw(sizes(0, size - 1))
        taken.append(range(low, draw(sizes(low, size - 1)) + 1, draw(sizes(1, 4))))
    result = tpu.SliceOp(
        "slice",
        x,
        starts=[each.start for each in taken],
        sizes=[len(each) for each in taken],
        steps=[each.step for each in taken],
    )
    check(network, network.add(result), tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_pad(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = shape_of(draw)
    x = network.input(*shape)
    low, high = [draw(sizes(0, 4)) for _ in shape], [draw(sizes(0, 4)) for _ in shape]
    value = draw(st.sampled_from([0.0, 0.5, -1.0]))
    result = tpu.PadOp("pad", x, low=low, high=high, value=value)
    check(network, network.add(result), tiny, count)


@SETTINGS
@given(networks(), st.data())
def test_gather(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    draw = data.draw
    shape = shape_of(draw)
    axis = draw(sizes(0, len(shape) - 1))
    x = network.input(*shape)
    indices = draw(st.lists(sizes(0, shape[axis] - 1), min_size=1, max_size=20))
    index = network.weight(np.asarray(indices, np.int32)[:, None], i32)
    check(network, network.add(tpu.ResampleOp("gather", x, index, axis=axis)), tiny, count)
