"""`tile-plan` makes groups where tensors have no room, and the schedule keeps them."""

from __future__ import annotations

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.dialects import tile
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.network_schedule import NetworkSchedule
from smalti.passes.tile.schedule_text import parse_schedule, schedule_from
from smalti.passes.tile.set_schedules import SetGivenSchedules
from xdsl.dialects.builtin import ModuleOp

from ..tilers.random_network import Network
from .test_slice_groups import convolution

SLICE = "tile-slice-groups,tile-split-over-cores"
FINISH = (
    f"{SLICE},tile-cut-to-local-memory,tile-order-engines,tile-assign-addresses,convert-tile-to-isa"
)


def network() -> tuple[Network, ModuleOp]:
    """A network whose wide tensor does not fit 512 KiB, as tile IR for a target with so much local memory."""
    found = Network(True, np.random.default_rng(7))
    x = convolution(found, "expand", found.input(1, 16, 104, 104), 96, kernel=1)
    y = convolution(found, "depthwise", x, 96, stride=2, groups=96)
    module = found.module(convolution(found, "project", y, 16, kernel=1), "edge-1c")
    run_pipeline(found.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    return found, module


def planned(text: str = "tile-plan") -> tuple[Network, ModuleOp]:
    """The network after passes."""
    found, module = network()
    run_pipeline(found.ctx, module, parse_pipeline(text))
    return found, module


def outputs(found: Network, module: ModuleOp) -> tuple[dict[str, np.ndarray], int]:
    """What a planned network computes on the simulator, and in how many cycles."""
    inputs = found.values()
    run_pipeline(found.ctx, module, parse_pipeline(FINISH))
    result = simulate(assemble(module, found.ctx), inputs, mode="both", sanitize=True)
    assert result.outputs is not None and result.timing is not None
    return result.outputs, result.timing.cycles


@pytest.mark.share(3)
def test_a_group_is_made_where_a_tensor_has_no_room_and_takes_fewer_cycles():
    grouped, apart = planned(), planned("tile-plan{groups=false}")
    (group,) = tile.program_of(grouped[1]).groups
    assert [op.tpu_name for op in group.layers][:2] == ["expand", "depthwise"]
    assert all(op.decided.stays_on_chip for op in group.layers[:-1])
    assert not tile.program_of(apart[1]).groups
    (values, cycles), (others, more) = outputs(*grouped), outputs(*apart)
    assert cycles < 0.9 * more
    for name, array in others.items():
        np.testing.assert_array_equal(values[name], array)


@pytest.mark.parametrize("options", ("on-chip=false", "splits=by-layer"))
def test_no_group_is_made_where_options_rule_it_out(options: str):
    assert not tile.program_of(planned(f"tile-plan{{{options}}}")[1]).groups


def test_the_schedule_has_the_group_and_gives_the_same_program():
    _, module = planned()
    schedule = NetworkSchedule.of(tile.program_of(module), "edge-1c")
    text = str(schedule)
    assert 'group = <first = "expand", axis = 2, slices = ' in text
    assert schedule_from(dict(schedule)).entries[1].schedule == schedule.entries[1].schedule
    found, again = network()
    run_pipeline(found.ctx, again, [SetGivenSchedules("a.schedule", parse_schedule(text))])
    run_pipeline(found.ctx, again, parse_pipeline("tile-plan"))
    assert str(again) == str(module)


def test_a_group_may_be_given_as_an_object():
    found, module = network()
    given = {"project": {"group": tile.Group(2, 3, "recomputed", first="expand")}}
    run_pipeline(found.ctx, module, [SetGivenSchedules("a.schedule", schedule_from(given))])
    (group,) = tile.program_of(module).groups
    assert group.decided == tile.Group(2, 3, "recomputed")
    assert len(group.layers) == 3


def test_layers_of_a_group_that_is_whole_are_not_tiled():
    found, module = planned()
    with pytest.raises(DiagnosticError, match="still whole"):
        run_pipeline(found.ctx, module, parse_pipeline("tile-cut-to-local-memory"))
