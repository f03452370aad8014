"""What the front by the share of multiply-accumulates proposes, and what it chooses."""

from itertools import combinations

import numpy as np
import pytest
from smalti.compiler.mixed_precision.mac_front import MacCandidates

SHARES = (0.3, 0.6, 0.9)


def candidates(seed: int, layers: int = 7) -> MacCandidates:
    rng = np.random.default_rng(seed)
    names = [f"l{each}" for each in range(layers)]
    alone, last = (dict(zip(names, rng.random(layers) * 1e-3, strict=True)) for _ in range(2))
    macs = {name: int(rng.integers(1, 1000)) for name in names}
    return MacCandidates(macs, alone, last, 1e-4, "int8", "w4a4", "table", SHARES)


@pytest.mark.parametrize("seed", range(4))
def test_the_additive_solution_is_the_first_that_is_run_and_the_best_of_its_model(seed: int):
    front = candidates(seed)
    points = front.propose()
    run = [tuple(point["schemes"]) for point in points]
    for share in SHARES:
        solution = front.additive[share]
        assert tuple(solution) in run and front.share_of(solution) >= share
        best = min(
            sum(front.alone[name] for name in narrow)
            for count in range(1, 8)
            for narrow in combinations(front.macs, count)
            if front.share_of(dict.fromkeys(narrow, "w4a4")) >= share
        )
        assert sum(front.alone[name] for name in solution) == pytest.approx(best, rel=1e-3)


def test_runs_that_lose_more_than_predicted_make_other_layers_narrow():
    front = candidates(1)
    seen: set[tuple[str, ...]] = set()
    while points := front.propose():
        keys = {tuple(point["schemes"]) for point in points}
        assert not keys & seen, "nothing is run twice"
        seen |= keys
        front.learn([(point, {"loss": 0.1}) for point in points])
    assert len(seen) > len(SHARES)


def test_what_is_cheap_alone_but_dear_among_narrow_ones_is_left_wide_at_large_shares():
    front = MacCandidates(
        {"a": 10, "b": 10, "c": 80}, {"a": 1e-4, "b": 2e-4, "c": 3e-4},
        {"a": 9e-4, "b": 2e-4, "c": 3e-4}, 0.0, "int8", "w4a4", "table", (0.9,),
    )  # fmt: skip
    proposed = [set(point["schemes"]) for point in front.propose()]
    assert proposed == [{"a", "c"}, {"b", "c"}]
