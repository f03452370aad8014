"""Schedules that are given back, from compiles, programs and planners of plugins: the same program comes of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program import container
from smalti.compiler import CompiledModel, Plugin, compile_model, load_program
from smalti.compiler.compilation import plan_trials
from smalti.dialects import tile
from smalti.dialects.tile import Schedule
from smalti.dialects.tile.schedule import ScheduleAttr
from smalti.passes.smalti_pass import Level, SmaltiPass
from smalti.passes.tile.schedule_text import parse_schedule
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

CHANNELS, SIZE = 16, 12
OPTIONS = {"calibration": "random:0"}
UNSHRUNK = (Phase.explicit, Phase.generate)
"""Compiles take too long to make failing examples small."""


def chain(layers: int = 2, channels: int = CHANNELS, size: int = SIZE) -> onnx.ModelProto:
    """Return a network of 3x3 convolutions `y0`, `y1`, … of so many channels, one after the other."""
    rng, nodes, weights, value = np.random.default_rng(0), [], [], "x"
    for number in range(layers):
        fan_in = channels if number else 3
        array = rng.normal(0, 0.1, (channels, fan_in, 3, 3)).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(array, f"w{number}"))
        nodes.append(oh.make_node("Conv", [value, f"w{number}"], [f"y{number}"], pads=[1, 1, 1, 1]))
        value = f"y{number}"
    ports = [("x", 3), (value, channels)]
    x, y = (oh.make_tensor_value_info(name, 1, [1, count, size, size]) for name, count in ports)
    graph = oh.make_graph(nodes, "main", [x], [y], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)])


def file_of(model: CompiledModel) -> bytes:
    return container.write(model.program)


def check_given_back(model: onnx.ModelProto, first: CompiledModel, path: Path, **options) -> None:
    """Check that the schedule of a compile, and that which its program keeps, make the same program."""
    first.save(path)
    for schedule in (first.schedule, load_program(path).schedule):
        assert schedule is not None
        again = compile_model(model, schedule=str(schedule), **OPTIONS, **options)
        assert file_of(again) == file_of(first)


@pytest.mark.parametrize("fields", ("", ", halos = recomputed", ", order = pipelined"))
def test_groups_are_in_the_schedule(fields: str, tmp_path: Path):
    """Also if passes after `tile-plan` have divided the layers into slices."""
    model = chain(4)
    text = f'"y1" <group = <first = "y0", axis = 2, slices = 3{fields}>>\n'
    first = compile_model(model, schedule=text, **OPTIONS)
    assert first.schedule is not None
    group = first.schedule["y1"].group
    assert group is not None and (group.first, group.slices) == ("y0", 3)
    check_given_back(model, first, tmp_path / "m.smalti")


@pytest.mark.share(4)
def test_groups_that_are_planned_are_in_the_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """On a target whose local memory has no room for what is between the layers; planned once, as larger networks are:
    other plans of so few layers have no groups and are faster.
    """
    monkeypatch.setattr(plan_trials, "MOST_LAYERS_OF_FEW_TRIALS", 0)
    model = chain(3, 64, 112)
    first = compile_model(model, target="edge-1c", **OPTIONS)
    assert first.schedule is not None
    assert any(each.group is not None for each in first.schedule.values())
    check_given_back(model, first, tmp_path / "m.smalti", target="edge-1c")


@dataclass(frozen=True)
class PlanHalves(SmaltiPass):
    """Divide each image into its halves, upper and lower, on cores 2 and 5."""

    name = "tile-plan-halves"
    level: ClassVar[Level] = "tile"

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Write the schedules."""
        for op in tile.program_of(module).layers:
            op.properties["schedule"] = ScheduleAttr(Schedule(cores=(2, 5), split=(1, 1, 2, 1)))


@pytest.mark.parametrize("place", ("before=tile-slice-groups", "before=tile-split-over-cores"))
def test_a_planner_in_place_of_tile_plan_leaves_its_schedule(place: str, tmp_path: Path):
    model, plugin = chain(), Plugin(passes={PlanHalves.name: PlanHalves})
    options = {"passes": {"tile-plan": False}}
    first = compile_model(
        model, plugins=plugin, insert_pass=f"{place}:{PlanHalves.name}", **options, **OPTIONS
    )
    assert first.schedule is not None
    assert {each.split for each in first.schedule.values()} == {(1, 1, 2, 1)}
    check_given_back(model, first, tmp_path / "m.smalti", **options)


def test_without_any_planner_there_is_no_schedule():
    assert compile_model(chain(), passes={"tile-plan": False}, **OPTIONS).schedule is None


@st.composite
def uneven(draw: st.DrawFn) -> tuple[tuple[int, ...], ...]:
    """Parts of an image, which are no grid: rows are divided first, and each of these parts by itself."""

    def cut(size: int) -> list[tuple[int, int]]:
        ends = sorted({0, size, *draw(st.lists(st.integers(1, size - 1), max_size=2))})
        return list(pairwise(ends))

    rows = cut(SIZE)
    parts = [(0, 1, 0, CHANNELS, *row, *column) for row in rows for column in cut(SIZE)]
    assume(len(parts) <= 8)
    return tuple(draw(st.permutations(parts)))


@pytest.mark.share(4)
@given(uneven(), st.data())
@settings(max_examples=5, derandomize=True, phases=UNSHRUNK)
def test_uneven_windows_are_given_back(windows: tuple[tuple[int, ...], ...], data: st.DataObject):
    """From text to the attribute in the IR and back to text, and so is the program."""
    cores = tuple(data.draw(st.permutations(range(8)))[: len(windows)])
    given = Schedule(cores=cores, windows=windows)
    text = f'"y0" <{ScheduleAttr(given).body()}>\n'
    assert str(parse_schedule(text)) == text
    assert parse_schedule(text)["y0"] == given
    first = compile_model(chain(), schedule=text, **OPTIONS)
    assert first.schedule is not None
    assert (first.schedule["y0"].cores, first.schedule["y0"].windows) == (cores, windows)
    again = compile_model(chain(), schedule=str(first.schedule), **OPTIONS)
    assert str(again.schedule) == str(first.schedule) and file_of(again) == file_of(first)
    inputs = {"x": np.random.default_rng(1).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)}
    plain = compile_model(chain(), optimization=0, **OPTIONS).run(inputs)
    for name, value in first.run(inputs).items():
        np.testing.assert_array_equal(value, plain[name])


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((0, 5, 5, 11), "its parts leave out 192 of the 2304 elements of [0, 1, 0, 16, 0, 12, 0, 12]"),
        ((0, 5, 4, 12), "overlap in [0, 1, 0, 16, 4, 5, 0, 12]"),
    ],
)  # fmt: skip
def test_windows_that_leave_gaps_or_overlap_are_told(rows: tuple[int, ...], told: str):
    windows = [[0, 1, 0, CHANNELS, *rows[at : at + 2], 0, SIZE] for at in (0, 2)]
    with pytest.raises(DiagnosticError) as error:
        compile_model(chain(), schedule=f'// parts\n"y0" <windows = {windows}>', **OPTIONS)
    assert "<schedule>:2:7: error: this does not fit layer 'y0'" in str(error.value)
    assert told in str(error.value)
