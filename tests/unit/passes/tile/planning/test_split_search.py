"""The parts of layers are chosen together: neighbors alike where that saves transfers, and given ones as they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from smalti.dialects import tpu
from smalti.dialects.tile import Schedule
from smalti.passes.tile.planning.layer_parts import Parts, cheapest, possible_parts
from smalti.passes.tile.planning.split_search import (
    Considered,
    _best_state,
    _connect,
    _Layer,
    _room,
    _State,
    choose_parts,
    considered_alone,
)
from smalti.passes.tile.tiler_bases.tiler import Tiler
from xdsl.ir import SSAValue

from ..layers import tilers_of
from ..tilers.random_network import Network

CORES = 8


def convolve(
    network: Network, name: str, x: SSAValue, channels: int, kernel: int, *, stride: int = 1
) -> SSAValue:
    """Append a convolution that keeps the size, but for its stride."""
    around = kernel // 2
    return network.add(
        tpu.Conv2dOp(
            name, x, network.parameters(channels, x.type.get_shape()[1], kernel, kernel),
            element=network.element(), strides=(stride, stride), pads=(around,) * 4,
            dilations=(1, 1), groups=1, accumulator="i32",
        )
    )  # fmt: skip


def score(tilers: Sequence[Tiler], chosen: Sequence[Parts]) -> float:
    """Return the cycles that the search expects of these parts."""
    layers = [_Layer.of(tiler, [parts]) for tiler, parts in zip(tilers, chosen, strict=True)]
    _connect(layers)
    return _best_state(layers).score


def options_of(tiler: Tiler, decided: Schedule | None = None) -> list[Parts]:
    return possible_parts(tiler.layer, tiler, decided or Schedule(), CORES)


def chosen(tilers: Sequence[Tiler]) -> list[Parts]:
    return choose_parts(tilers, [options_of(tiler) for tiler in tilers])


def alone(tilers: Sequence[Tiler]) -> list[Parts]:
    """Choose the parts of each layer by itself."""
    return [cheapest(tiler, options_of(tiler)) for tiler in tilers]


def one_after_the_other(kept: tuple[str, ...] | None = None) -> dict[str, Tiler]:
    """A convolution between two layers of elements."""
    network = Network(True, np.random.default_rng(1))
    x = network.add(tpu.ClampOp("before", network.input(1, 16, 28, 28), clamp_low=-1.0))
    y = network.add(tpu.ClampOp("after", convolve(network, "y", x, 32, 3), clamp_low=0.0))
    return tilers_of(network.module(y, "default-8c"), network.ctx, kept)


def test_neighbors_are_divided_alike_where_that_saves_transfers() -> None:
    found = one_after_the_other()
    tilers = list(found.values())
    together = dict(zip(found, chosen(tilers), strict=True))
    apart = dict(zip(found, alone(tilers), strict=True))
    names = ("before", "y", "after")
    assert len({apart[name].split for name in names}) == 3
    assert len({(together[name].split, together[name].cores) for name in names}) == 1
    assert score(tilers, list(together.values())) < 0.6 * score(tilers, list(apart.values()))


def test_neighbors_are_divided_as_suits_each_where_all_is_in_global_memory() -> None:
    found = one_after_the_other(kept=())
    together = dict(zip(found, chosen(list(found.values())), strict=True))
    assert len({together[name].split for name in ("before", "y", "after")}) == 3


@pytest.mark.parametrize("at", range(4))
def test_a_layer_with_one_option_keeps_it_and_its_neighbors_follow(at: int) -> None:
    found = one_after_the_other()
    tilers = list(found.values())
    options = [options_of(tiler) for tiler in tilers]
    free = choose_parts(tilers, options)
    decided = Schedule(cores=(5, 6), split=(1, 1, 1, 2))
    options[at] = options_of(tilers[at], decided)
    bound = choose_parts(tilers, options)
    assert bound[at] == options[at][0] and bound[at] != free[at]
    assert score(tilers, bound) >= score(tilers, free)
    # Those who do not look at their neighbors lose by it.
    assert score(tilers, bound) <= score(tilers, [*free[:at], bound[at], *free[at + 1 :]])


def test_no_layers_have_no_parts() -> None:
    assert choose_parts([], []) == []


def test_the_best_of_all_combinations_is_found() -> None:
    tilers = list(one_after_the_other().values())
    options = [options_of(tiler) for tiler in tilers]
    few = [[each[0], each[len(each) // 2], each[-1]] for each in options]
    best = min(score(tilers, parts) for parts in product(*few))
    assert score(tilers, choose_parts(tilers, few)) == pytest.approx(best)


def random_tilers(seed: int) -> dict[str, Tiler]:
    """A network of up to five layers that read any values before them."""
    rng = np.random.default_rng(seed)
    network, size = Network(True, rng), int(rng.choice((4, 7, 14, 20, 28)))
    values = [network.input(1, int(rng.choice((3, 16, 64))), size, size)]
    for number in range(rng.integers(1, 6)):
        x, name = values[rng.integers(len(values))], f"y{number}"
        if rng.integers(2):
            channels, kernel = int(rng.choice((16, 40, 128))), int(rng.choice((1, 3)))
            stride = int(rng.choice((1, 1, 2)))
            values.append(convolve(network, name, x, channels, kernel, stride=stride))
        else:
            values.append(network.add(tpu.ClampOp(name, x, clamp_low=0.0)))
    return tilers_of(network.module(values[-1], "default-8c"), network.ctx)


@pytest.mark.parametrize("seed", range(20))
def test_the_choice_is_no_worse_than_that_of_each_by_itself(seed: int) -> None:
    tilers = list(random_tilers(seed).values())
    parts = chosen(tilers)
    assert score(tilers, parts) <= score(tilers, alone(tilers))
    assert chosen(tilers) == parts


@pytest.mark.parametrize("seed", range(20))
def test_what_is_considered_has_the_score_of_the_network_with_it(seed: int) -> None:
    """Of each option the search tells what `score` finds if all other layers stay as they are chosen."""
    considered: list[list[Considered]] = []
    tilers = list(random_tilers(seed).values())
    options = [options_of(tiler) for tiler in tilers]
    parts = choose_parts(tilers, options, considered)
    assert parts == choose_parts(tilers, options)
    for number, each in enumerate(considered):
        assert [found.parts for found in each].count(parts[number]) == 1
        for found in each:
            changed = [*parts[:number], found.parts, *parts[number + 1 :]]
            assert found.network == pytest.approx(score(tilers, changed))
            assert found.layer >= 0 and found.waiting >= 0
            # The score has the end of the network and a share of its work.
            assert found.done is not None and 0 <= found.done <= score(tilers, changed)


def test_what_is_considered_alone_has_the_estimate_by_which_it_is_chosen() -> None:
    for tiler in one_after_the_other().values():
        found = considered_alone(tiler, options_of(tiler))
        best = min(found, key=lambda each: each.layer)
        assert best.parts == cheapest(tiler, options_of(tiler))
        assert best.network is None and best.done is None


@pytest.mark.parametrize(
    ("held", "when"),
    [(0, 0.0), (30, 0.0), (31, 10.0), (40, 10.0), (41, 20.0), (70, 30.0), (99, 30.0)],
)
def test_weights_have_room_when_those_that_must_go_are_used(held: int, when: float) -> None:
    """Three layers hold 10, 20 and 30 bytes, of 90, and end after 10, 20 and 30 cycles."""
    state = _State(np.array([10.0, 20.0, 30.0]), np.array([10.0, 30.0, 60.0]))
    assert _room(state, np.array([held]), 90).tolist() == [when]
