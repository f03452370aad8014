"""Placement of buffers: never an overlap, never below the live bytes, reuse of what is dead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.targets.alignment import ALIGNMENT_BYTES, align
from smalti.passes.tiling import allocation
from smalti.passes.tiling.allocation import Lifetime, first_conflict, live_bytes, pack, place

lifetimes = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 40), st.integers(0, 12)).map(
        lambda t: Lifetime(t[0], t[1], t[1] + t[2])
    ),
    max_size=40,
)


@settings(max_examples=50)
@given(lifetimes)
def test_live_buffers_never_overlap(buffers):
    placement = place(buffers, 1 << 30)
    assert placement is not None
    for i, a in enumerate(buffers):
        assert placement.addresses[i] % ALIGNMENT_BYTES == 0
        assert placement.addresses[i] + a.size_bytes <= placement.size_bytes
        for j, b in enumerate(buffers[:i]):
            if a.first <= b.last and b.first <= a.last and a.size_bytes and b.size_bytes:
                low, high = sorted(
                    [
                        (placement.addresses[i], a.size_bytes),
                        (placement.addresses[j], b.size_bytes),
                    ]
                )
                assert low[0] + low[1] <= high[0]


@settings(max_examples=50)
@given(lifetimes)
def test_each_buffer_gets_the_smallest_gap_that_holds_it(buffers):
    """With room for all, the first order counts: by size, then by first use. What has no bytes is at address 0."""
    order = sorted(
        range(len(buffers)), key=lambda n: (-align(buffers[n].size_bytes), buffers[n].first)
    )
    placed: dict[int, int] = {}
    for number in order:
        own = buffers[number]
        taken = sorted(
            (address, address + align(buffers[n].size_bytes))
            for n, address in placed.items()
            if buffers[n].first <= own.last and own.first <= buffers[n].last
        )
        end, gaps = 0, []
        for low, high in taken:
            gaps.append((low - end, end))
            end = max(end, high)
        fitting = [gap for gap in gaps if gap[0] >= align(own.size_bytes)]
        placed[number] = 0 if not own.size_bytes else min(fitting)[1] if fitting else end
    placement = place(buffers, 1 << 30)
    assert placement is not None
    assert list(placement.addresses) == [placed[n] for n in range(len(buffers))]


@settings(max_examples=50)
@given(lifetimes)
def test_live_bytes_is_the_peak_of_a_plain_count(buffers):
    plain = max(
        (sum(align(b.size_bytes) for b in buffers if b.first <= t <= b.last) for t in range(60)),
        default=0,
    )
    assert live_bytes(buffers) == plain
    placement = place(buffers, 1 << 30)
    assert placement is not None and placement.size_bytes >= plain


def test_a_capacity_below_the_live_bytes_gives_none():
    buffers = [Lifetime(128, 0, 3), Lifetime(128, 2, 5)]
    assert place(buffers, 255) is None
    placed = place(buffers, 256)
    assert placed is not None and sorted(placed.addresses) == [0, 128]


def test_dead_buffers_are_reused():
    chain = [Lifetime(1000, t, t + 1) for t in range(20)]
    placement = place(chain, 2 * 1024)
    assert placement is not None and placement.size_bytes == 2 * 1024


def test_repair_finds_what_the_plain_orders_miss():
    generator = np.random.default_rng(3)
    found = 0
    for _ in range(20):
        # Cut a full rectangle into buffers: a placement in exactly its height exists.
        buffers = []
        for start in range(0, 12, 3):
            cuts = np.sort(generator.choice(np.arange(1, 16), 3, replace=False))
            heights = np.diff(np.concatenate(([0], cuts, [16])))
            buffers += [Lifetime(int(h) * 64, start, start + 2) for h in heights]
        found += place(buffers, 16 * 64) is not None
    assert found == 20


def test_skylines_find_what_plain_orders_miss(monkeypatch):
    assert place(buffers_that_fill(24, 24, cuts=5, seed=37), 24 * 64) is not None
    monkeypatch.setattr(allocation, "_SKYLINE_PRIORITIES", ())
    assert place(buffers_that_fill(24, 24, cuts=5, seed=37), 24 * 64) is None


def test_most_memories_are_filled_to_the_last_byte():
    """Buffers that a rectangle was cut into fit it exactly: of 40 such requests, 26 are solved without skylines."""
    requests = [buffers_that_fill(32, 24, cuts=6, seed=seed) for seed in range(40)]
    assert all(live_bytes(request) == 24 * 64 for request in requests)
    assert sum(place(request, 24 * 64) is not None for request in requests) >= 32


def test_little_room_is_enough_for_buffers_of_many_sizes():
    """Where the capacity is 4% more than what is live, places are found for each of 20 random requests."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        first = 2 * np.arange(160) + generator.integers(0, 3, 160)
        sizes = 2 ** generator.integers(0, 6, 160) * generator.integers(2, 6, 160) * 64
        duration = generator.geometric(1 / 20, 160)
        buffers = [
            Lifetime(int(s), int(f), int(f + d))
            for s, f, d in zip(sizes, first, duration, strict=True)
        ]
        capacity = int(live_bytes(buffers) * 1.04)
        placement = place(buffers, capacity)
        assert placement is not None and placement.size_bytes <= capacity
        assert first_conflict(buffers, placement.addresses) is None


@settings(max_examples=50)
@given(lifetimes, st.integers(100, 130), st.data())
def test_a_tight_placement_keeps_given_addresses(buffers, percent, data):
    capacity = live_bytes(buffers) * percent // 100
    placement = place(buffers, capacity)
    if placement is None:
        return
    assert placement.size_bytes <= capacity
    assert first_conflict(buffers, placement.addresses) is None
    given_addresses = [a if data.draw(st.booleans()) else None for a in placement.addresses]
    again = place(buffers, capacity, given=given_addresses)
    if again is not None:
        assert first_conflict(buffers, again.addresses) is None
        for a, kept in zip(again.addresses, given_addresses, strict=True):
            assert kept is None or a == kept


def buffers_that_fill(moments: int, height: int, *, cuts: int, seed: int) -> list[Lifetime]:
    """Return buffers that fill a rectangle: one that was cut in two, and its parts again, `cuts` times over."""
    generator = np.random.default_rng(seed)
    buffers: list[Lifetime] = []

    def cut(begin: int, end: int, height: int, left: int) -> None:
        if left and height > 1 and generator.random() < 0.5:
            low = int(generator.integers(1, height))
            cut(begin, end, low, left - 1)
            cut(begin, end, height - low, left - 1)
        elif left and end - begin > 1:
            middle = int(generator.integers(begin + 1, end))
            cut(begin, middle, height, left - 1)
            cut(middle, end, height, left - 1)
        else:
            buffers.append(Lifetime(height * 64, begin, end - 1))

    cut(0, moments, height, cuts)
    return buffers


def test_a_lifetime_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="not a lifetime"):
        place([Lifetime(64, 3, 2)], 1024)


def test_pack_puts_buffers_side_by_side():
    assert pack([1, 64, 65]).addresses == (0, 64, 128)
    assert pack([1, 64, 65]).size_bytes == 256
    assert pack([]).size_bytes == 0
