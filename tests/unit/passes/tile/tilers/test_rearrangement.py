"""Reshapes and transposes of tensors that stay on chip compute what the tpu interpreter computes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.interpreter.tpu import run_tpu
from smalti.dialects import tile, tpu
from smalti.dialects.ir.context import weights_of
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.ir import SSAValue

from .random_network import Network

TARGET = "default-8c"


def planned(network: Network, result: SSAValue, cores: int) -> tile.ProgramOp:
    """The tiled program of a network whose schedules the planner chose; its results are those before."""
    module = network.module(result, TARGET)
    store, inputs = weights_of(network.ctx), network.values()
    want = run_tpu(module, store, inputs)
    stages = (
        f"convert-tpu-to-tile,tile-plan{{cores={cores}}},tile-split-over-cores,"
        "tile-cut-to-local-memory"
    )
    run_pipeline(network.ctx, module, parse_pipeline(stages))
    got = run_tile(module, store, inputs)
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array)
    return tile.program_of(module)


def scratch(program: tile.ProgramOp) -> list[str]:
    """The tensors between layers that are in global memory."""
    return [
        op.buffer_name.data
        for op in program.buffers
        if isinstance(op, tile.GlobalOp) and op.segment.data == "scratch"
    ]


@pytest.mark.parametrize("cores", [1, 3, 8])
@pytest.mark.parametrize("depth", [16, 24, 64])
def test_heads_are_taken_apart_and_put_together_on_chip(cores: int, depth: int):
    """The rows of an attention: heads move to the front and back; only runs of a head's elements stay together."""
    network = Network(True, np.random.default_rng(0))
    x = network.input(12, 6 * depth)
    x = network.add(tpu.ReshapeOp("heads", x, shape=[12, 6, depth]))
    x = network.add(tpu.TransposeOp("first", x, permutation=[1, 0, 2]))
    x = network.add(tpu.TransposeOp("back", x, permutation=[1, 0, 2]))
    x = network.add(tpu.ReshapeOp("rows", x, shape=[12, 6 * depth]))
    assert scratch(planned(network, x, cores)) == []


@pytest.mark.parametrize("cores", [1, 8])
def test_axes_of_one_element_come_and_go_on_chip(cores: int):
    network = Network(True, np.random.default_rng(0))
    x = network.input(1, 160, 1)
    x = network.add(tpu.ReshapeOp("flat", x, shape=[160]))
    x = network.add(tpu.ReshapeOp("row", x, shape=[1, 160]))
    assert scratch(planned(network, x, cores)) == []


def test_what_turns_the_innermost_axis_goes_through_global_memory():
    network = Network(True, np.random.default_rng(0))
    x = network.input(32, 48)
    x = network.add(tpu.TransposeOp("turned", x, permutation=[1, 0]))
    assert scratch(planned(network, x, 8)) != []


@pytest.mark.share(3)
@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data(), st.integers(1, 8), st.booleans())
def test_any_rearrangement(data: st.DataObject, cores: int, quantized: bool):
    draw = data.draw
    network = Network(quantized, np.random.default_rng(draw(st.integers(0, 99))))
    factors = [draw(st.integers(1, 20)) for _ in range(draw(st.integers(1, 4)))]

    def grouped() -> list[int]:
        shape: list[int] = []
        for factor in factors:
            if shape and draw(st.booleans()):
                shape[-1] *= factor
            else:
                shape.append(factor)
        return shape

    x = network.input(*grouped())
    for number in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            x = network.add(tpu.ReshapeOp(f"reshaped{number}", x, shape=grouped()))
        else:
            rank = len(x.type.get_shape())  # pyright: ignore[reportAttributeAccessIssue]
            order = list(draw(st.permutations(range(rank))))
            x = network.add(tpu.TransposeOp(f"moved{number}", x, permutation=order))
            # The factors stand in this order now, as axes of their own.
            factors = [int(size) for size in x.type.get_shape()]  # pyright: ignore[reportAttributeAccessIssue]
    planned(network, x, cores)
