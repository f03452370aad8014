"""Models predict sums, the integer program finds the least cycles, and what is chosen is what was measured."""

from itertools import pairwise, product

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.mixed_precision.candidates import Candidates, Run, best_run
from smalti.compiler.mixed_precision.goal import Goal
from smalti.compiler.mixed_precision.integer_program import cheapest_schemes
from smalti.compiler.mixed_precision.interactions import interacting_pairs, shrunk_interaction
from smalti.compiler.mixed_precision.layer_model import LayerModel
from smalti.compiler.mixed_precision.scheme_search import front_of
from smalti.compiler.sensitivity.layer_groups import LayerGroup

LAYERS, SCHEMES = ("a", "b", "c", "d", "e"), ("int8", "f16", "f32")
ALIKE = {"int8": "i8", "f16": "f16", "f32": "f32"}


def run(loss: float, cycles: int, **schemes: str) -> Run:
    return Run(schemes, {"loss": loss, "cycles": cycles, "agreement": 1 - loss})


@pytest.mark.parametrize("seed", range(5))
def test_the_integer_program_finds_what_trying_all_finds(seed: int):
    pytest.importorskip("scipy")
    rng = np.random.default_rng(seed)
    loss = LayerModel(
        {(layer, scheme): rng.random() * 1e-4 for layer in LAYERS for scheme in ("int8", "f16")},
        {((one, "int8"), (other, "int8")): rng.normal() * 3e-5 for one, other in pairwise(LAYERS)},
    )
    cycles = LayerModel(
        {(layer, scheme): 1000 * rng.random() for layer in LAYERS for scheme in SCHEMES}, {}
    )
    casts = dict.fromkeys(pairwise(LAYERS), 200.0)

    def cost(schemes: dict[str, str]) -> float:
        cast = sum(c for (one, other), c in casts.items() if schemes[one] != schemes[other])
        return cycles.value(schemes) + cast

    choices = [dict(zip(LAYERS, each, strict=True)) for each in product(SCHEMES, repeat=5)]
    for budget in (2e-5, 1e-4, 3e-4):
        least = min(cost(each) for each in choices if loss.value(each) <= budget)
        found = cheapest_schemes(LAYERS, SCHEMES, cycles, casts, ALIKE, loss, budget)
        assert found is not None and loss.value(found) <= budget * (1 + 1e-5)
        assert cost(found) <= least * 1.001


def test_a_model_is_corrected_where_runs_contradict_it():
    model = LayerModel({("a", "x"): 1.0, ("b", "x"): 1.0, ("c", "x"): 1.0}, {})
    runs = [({"a": "x", "b": "x", "c": "y"}, 4.0), ({"a": "y", "b": "x", "c": "y"}, 1.0)]
    corrected = model.corrected(runs)
    for schemes, measured in runs:
        assert corrected.value(schemes) == pytest.approx(measured, rel=0.05)
    assert corrected.single["c", "x"] == 1.0


def test_interactions_that_noise_may_have_made_are_not_believed():
    rng = np.random.default_rng(0)
    noise = list(rng.normal(0, 1, 30))
    assert abs(shrunk_interaction(noise, [0.0] * 30, [0.0] * 30)) < 0.2
    assert shrunk_interaction([3.0] * 30, [1.0] * 30, [1.0] * 30) == 1.0
    assert shrunk_interaction([1.0], [0.0], [0.0]) == 0.0


def test_pairs_are_neighbors_and_layers_of_a_residual_block():
    def group(name: str, *reads: str) -> LayerGroup:
        return LayerGroup("conv2d", [name], list(reads), [])

    chain = [group("a"), group("b", "a"), group("c", "b"), group("s", "c", "a"), group("t", "s")]
    assert set(interacting_pairs(chain)) == {
        ("a", "b"), ("b", "c"), ("c", "s"), ("a", "s"), ("b", "s"), ("s", "t"),
    }  # fmt: skip


def test_the_choice_is_by_what_was_measured():
    goal = Goal.parse("cos=0.99")
    runs = [run(0.001, 300), run(0.009, 200), run(0.02, 100), run(0.008, 200)]
    assert best_run(runs, goal) == (runs[3], True)
    assert best_run(runs, Goal.parse("cos=0.9999")) == (runs[0], False)
    assert front_of(runs, goal) == [runs[2], runs[3], runs[0]]


def test_the_choice_is_on_the_front():
    """Where agreement and the loss rank equally fast networks otherwise, too."""
    goal = Goal.parse("agreement=90%")
    runs = [
        Run({}, {"cycles": 100, "loss": loss, "agreement": agreement})
        for loss, agreement in ((0.1, 1.0), (0.01, 0.95), (0.2, 1.0))
    ]
    chosen, reached = best_run(runs, goal)
    assert reached and chosen is runs[0] and chosen in front_of(runs, goal)
    short, reached = best_run(runs, Goal.parse("agreement=100%"))
    assert reached and short is runs[0]


def test_the_additive_solution_is_always_run():
    asked: list[LayerModel] = []

    def solve(cycles: LayerModel, loss: LayerModel, budget: float) -> dict[str, str]:
        asked.append(loss)
        return {"a": f"{bool(loss.pairs)} {budget:.3g}"}

    loss = LayerModel({("a", "int8"): 1.0}, {(("a", "int8"), ("b", "int8")): 1.0})
    runs = [run(0.5, 10, a="int8"), run(1e-6, 90, a="f16")]
    candidates = Candidates(loss, LayerModel({}, {}), solve, Goal.parse("cos=0.9"), "t", runs)
    points = candidates.propose()
    assert len(points) == len(asked) and {bool(each.pairs) for each in asked} == {True, False}
    additive = [each for each in asked if not each.pairs]
    candidates.learn([(point, {"loss": 0.3, "cycles": 20}) for point in points])
    candidates.propose()
    assert additive[0].single == loss.single
    assert any(not each.pairs and each.single == loss.single for each in asked[len(points) :])


@pytest.mark.parametrize(
    "text", ["cosine=1", "cos=2", "cos=", "agreement=101%", "metric=nan", "nothing"]
)
def test_goals_that_are_none_are_told(text: str):
    with pytest.raises(DiagnosticError, match=f"--at-least {text}"):
        Goal.parse(text)


def test_goals_are_read():
    assert Goal.parse("agreement=99.5%") == Goal("agreement", 0.995)
    assert Goal.parse("metric=17") == Goal("metric", 17)
    assert Goal.parse("cos=0.999").loss_budget == pytest.approx(0.001)
