"""Shares of sweeps: a part of the items, the same for a seed, and every item with some seed."""

from collections.abc import Iterator

import pytest

from tests import commit_seed
from tests.commit_seed import (
    VARIABLE,
    is_of_commit,
    replay,
    runs_all,
    seed_of_commit,
    share_of_commit,
)

ITEMS = [f"case{number}" for number in range(20)]


@pytest.fixture(autouse=True)
def no_seed_is_kept() -> Iterator[None]:
    seed_of_commit.cache_clear()
    yield
    seed_of_commit.cache_clear()


def share(seed: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A third of the items with a seed."""
    monkeypatch.setenv(VARIABLE, seed)
    seed_of_commit.cache_clear()
    return share_of_commit(ITEMS, 3)


def test_a_seed_gives_the_same_share(monkeypatch: pytest.MonkeyPatch):
    first = share("5", monkeypatch)
    assert len(first) == 7 and first == sorted(first, key=ITEMS.index)
    assert share("6", monkeypatch) != first
    assert share("5", monkeypatch) == first
    assert f"{VARIABLE}=5" in replay()


def test_every_item_comes(monkeypatch: pytest.MonkeyPatch):
    assert {name for seed in range(40) for name in share(str(seed), monkeypatch)} == {*ITEMS}


def test_all(monkeypatch: pytest.MonkeyPatch):
    assert share("all", monkeypatch) == ITEMS
    assert runs_all() and "whole" in replay()


def test_every_name_is_in_the_share_of_some_commit_and_of_most_in_none(
    monkeypatch: pytest.MonkeyPatch,
):
    counts = dict.fromkeys(ITEMS, 0)
    for seed in range(60):
        monkeypatch.setenv(VARIABLE, str(seed))
        seed_of_commit.cache_clear()
        for name in ITEMS:
            counts[name] += is_of_commit(name, 3)
    assert all(0 < count < 40 for count in counts.values())
    assert sum(counts.values()) == pytest.approx(60 * len(ITEMS) / 3, rel=0.15)
    monkeypatch.setenv(VARIABLE, "all")
    assert all(is_of_commit(name, 3) for name in ITEMS)


def test_without_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(commit_seed, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert seed_of_commit() == 0
