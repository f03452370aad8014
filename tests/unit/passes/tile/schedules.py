"""Random schedules of layers, as far as the attribute allows them."""

from __future__ import annotations

from hypothesis import strategies as st
from smalti.dialects.tile import Schedule

SIZES = st.integers(1, 99)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """A schedule with any of its fields, with values for all parts or one for each."""
    parts, rank = draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def listed(values: st.SearchStrategy, least: int = 1, most: int = 1) -> st.SearchStrategy:
        return st.lists(values, min_size=least, max_size=most).map(tuple)

    def or_none(values: st.SearchStrategy) -> st.SearchStrategy:
        return st.one_of(st.none(), values)

    def for_parts(values: st.SearchStrategy) -> st.SearchStrategy:
        return or_none(st.one_of(listed(values), listed(values, parts, parts)))

    window = st.lists(st.tuples(SIZES, SIZES), min_size=rank, max_size=rank).map(
        lambda pairs: tuple(bound for pair in pairs for bound in sorted(pair))
    )
    split = draw(or_none(listed(SIZES, 0, rank)))
    return Schedule(
        cores=draw(or_none(st.permutations(range(64)).map(lambda cores: tuple(cores[:parts])))),
        split=split,
        windows=None if split is not None else draw(or_none(listed(window, parts, parts))),
        tile=draw(for_parts(listed(SIZES, rank, rank))),
        depth=draw(for_parts(SIZES)),
        order=draw(for_parts(st.sampled_from(("channels_outer", "rows_outer")))),
        block=draw(or_none(SIZES)),
        output=draw(or_none(st.sampled_from(("global", "local")))),
        weights=draw(or_none(st.sampled_from(("separate", "multicast")))),
    )
