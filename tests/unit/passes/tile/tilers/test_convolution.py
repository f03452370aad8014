"""A 1x1 convolution that steps over positions moves those that it reads only, or none where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from smalti.dialects import tile, tpu
from smalti.dialects.tile.buffer import buffer_of, core_of
from smalti.dialects.tile.schedule import Schedule, ScheduleAttr
from xdsl.dialects.builtin import ModuleOp

from .random_network import Network, check
from .test_schedules import check_on_simulator

CHANNELS = 16
"""One group of lanes: no padding is copied."""


@dataclass
class Read:
    """What one layer reads of another one's output: elements that are copied, and the strides of its convolutions."""

    elements: int
    strides: set[tuple[int, ...]]
    senders: set[int]


def read_by(module: ModuleOp, reader: str, tensor: str) -> Read:
    """Return what a layer reads of a tensor that stays on chip."""
    result = Read(0, set(), set())
    for op in module.walk():
        if isinstance(op, tile.Conv2dOp) and op.origin is not None and op.origin.data == reader:
            result.strides.add(tuple(op.strides.get_values()))
        if isinstance(op, tile.CopyOp) and op.origin is not None and op.origin.data == reader:
            source = buffer_of(op.source).owner
            kept = getattr(source, "tensor", None)
            if kept is not None and kept.data == tensor:
                result.elements += prod(op.sizes.get_values())
                sender = core_of(op.source)
                assert sender == op.core.value.data
                result.senders.add(sender)
    return result


def tiled(
    decided: Schedule,
    *,
    first: Schedule,
    shape: tuple[int, int] = (8, 6),
    kernel: int = 1,
    channels: int = CHANNELS,
    on_simulator: bool = False,
) -> ModuleOp:
    """Tile a convolution with strides 2 whose input stays on chip, and check what it computes."""
    network = Network(True, np.random.default_rng(3))
    x = network.input(1, channels, *shape)
    y = network.add(
        tpu.Conv2dOp(
            "y", x, network.parameters(32, channels, kernel, kernel), element=network.element(),
            strides=(2, 2), pads=(kernel // 2,) * 4, dilations=(1, 1), groups=1, accumulator="i32",
        )
    )  # fmt: skip
    schedules = {"in0.copy": first, "y": decided}

    def schedule(op: tile.LayerOp) -> None:
        if op.tpu_name in schedules:
            op.properties["schedule"] = ScheduleAttr(schedules[op.tpu_name])

    module = check(network, y, "default-8c", 4, schedule)
    if on_simulator:
        check_on_simulator(network, module, prefetch=64)
    return module


ON_CORE_0 = Schedule(cores=(0,), split=(1, 1, 1, 1), output="local")
ON_TWO_CORES = Schedule(cores=(0, 1), split=(1, 1, 2, 1), output="local")


def on(*cores: int, split: tuple[int, ...] = (1, 1, 1, 1), **fields: object) -> Schedule:
    return Schedule(cores=cores, split=split, **fields)  # pyright: ignore[reportArgumentType]


READ = CHANNELS * 4 * 3
"""Elements of every second row and column of 8 by 6."""


@pytest.mark.parametrize(
    ("first", "decided", "elements", "senders"),
    [
        (ON_CORE_0, on(2), READ, {0}),
        (ON_TWO_CORES, on(2), READ, {0, 1}),
        (ON_TWO_CORES, on(0), READ, {0, 1}),
        (ON_TWO_CORES, on(1, 0, split=(1, 1, 2, 1)), READ, {0, 1}),
        # Each of two cores with half of the channels reads all positions.
        (ON_CORE_0, on(2, 3, split=(1, 2, 1, 1)), 2 * READ, {0}),
        (ON_CORE_0, on(2, tile=((1, 32, 1, 2),)), READ, {0}),
    ],
)
def test_only_the_positions_that_are_read_come_from_other_cores(
    first: Schedule, decided: Schedule, elements: int, senders: set[int]
) -> None:
    read = read_by(tiled(decided, first=first), "y", "in0.copy")
    assert (read.elements, read.strides, read.senders) == (elements, {(1, 1)}, senders)


@pytest.mark.parametrize(
    ("first", "decided"),
    [
        (ON_CORE_0, on(0)),
        (ON_CORE_0, on(0, tile=((1, 32, 1, 3),))),
        (ON_TWO_CORES, on(0, 1, split=(1, 1, 2, 1))),
    ],
)
def test_nothing_is_copied_where_the_input_lies(first: Schedule, decided: Schedule) -> None:
    read = read_by(tiled(decided, first=first), "y", "in0.copy")
    assert (read.elements, read.strides) == (0, {(2, 2)})


@pytest.mark.parametrize("decided", [on(0, 1, split=(1, 1, 2, 1)), on(0), on(2)])
def test_the_simulator_computes_the_same(decided: Schedule) -> None:
    tiled(decided, first=ON_TWO_CORES, on_simulator=True)


def test_odd_sizes_and_padded_channels_are_read_as_they_lie() -> None:
    """Of 7 by 5 positions the kernel reads 4 by 3; a position's 10 channels are padded to 16."""
    module = tiled(on(2), first=ON_TWO_CORES, shape=(7, 5), channels=10)
    read = read_by(module, "y", "in0.copy")
    assert 4 * 3 * 10 <= read.elements <= 4 * 3 * 16 and read.strides == {(1, 1)}


def test_a_larger_kernel_reads_all_positions() -> None:
    """Its rows are sent as they are computed, to a buffer that other tiles may use."""
    module = tiled(on(2), first=ON_CORE_0, kernel=3)
    sent, read = (read_by(module, layer, "in0.copy") for layer in ("in0.copy", "y"))
    assert sent.elements == CHANNELS * 8 * 6
    assert (read.elements, read.strides) == (0, {(2, 2)})


def test_tiles_of_one_channel_are_kept_with_what_pads_it() -> None:
    """Columns of a tile are no view of a slab of whole rows: they are copied, 16 lanes for a channel."""
    first = on(0, tile=((1, 1, 4, 1),), output="local")
    tiled(on(0), first=first, channels=1)
