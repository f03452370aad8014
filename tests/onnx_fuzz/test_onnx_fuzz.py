"""Random graphs: Smalti computes what ONNX Runtime does, at `top` and on the device."""

import numpy as np
import onnx
import pytest

from tests.commit_seed import seed_of_commit
from tests.onnx_fuzz.check import LEVELS, RandomGraph, complaint, draw_graph
from tests.onnx_fuzz.draw import difference
from tests.onnx_fuzz.operators import DRAWS

TENTH = 50
"""A tenth of the graphs that `python -m tests.onnx_fuzz` runs."""


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_a_few_graphs_at_top(seed):
    """The same ones always."""
    for each in range(seed, seed + 4):
        assert not complaint(draw_graph(each), "top"), f"seed {each}"


def test_two_graphs_on_the_device():
    for seed in (1, 2):
        assert not complaint(draw_graph(seed), "default-8c"), f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_graphs_of_the_commit(part):
    """Other ones with each commit; `python -m tests.onnx_fuzz --graphs 1 --seed SEED` runs one again."""
    first = seed_of_commit() + part * TENTH // 10
    for seed in range(first, first + TENTH // 10):
        graph = draw_graph(seed)
        for level in LEVELS:
            assert not complaint(graph, level), f"seed {seed} at {level}"


def test_a_seed_gives_the_same_graph():
    one, other = draw_graph(7), draw_graph(7)
    assert one.model.SerializeToString() == other.model.SerializeToString()
    assert all(np.array_equal(one.inputs[name], other.inputs[name]) for name in one.inputs)


def test_graphs_are_valid_and_small():
    for seed in range(20):
        model = draw_graph(seed).model
        onnx.checker.check_model(model)
        assert 1 <= len(model.graph.node) <= 21


@pytest.mark.parametrize("name", DRAWS)
def test_every_op_is_drawn(name):
    """Or ONNX Runtime refuses each drawing of it, which nobody would notice."""
    kinds = set()
    for seed in range(6):
        kinds |= draw_graph(seed, (name,)).operators
        if name in kinds:
            return
    raise AssertionError(f"only {kinds} in six graphs of {name}")


def test_another_result_is_told():
    """The comparison sees a value that is wrong, and one of another shape."""
    graph = draw_graph(3, ("Add", "Mul"))
    wrong = {name: value + np.ones_like(value) for name, value in graph.expected.items()}
    told = complaint(RandomGraph(3, graph.model, graph.inputs, wrong, graph.tolerance), "top")
    assert "differs by" in told
    zeros = np.zeros((2, 3), np.float32)
    assert difference(zeros, np.zeros((3, 2), np.float32)) == float("inf")
    assert difference(zeros, zeros.astype(np.float64)) == float("inf")
    assert difference(zeros, np.full((2, 3), np.nan, np.float32)) == float("inf")
    assert difference(zeros.astype(int), zeros.astype(int) + 1) == float("inf")
    assert difference(zeros, zeros + np.float32(0.5)) == 0.5
