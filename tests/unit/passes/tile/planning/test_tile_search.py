"""Tiles are chosen together: where that takes less time, and never those that a schedule gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from smalti.compiler.driver.plan_tracing import PlanTracing
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.planning.decisions import LayerDecisions

from tests.shared_files import ROOT

BLOCK = ROOT / "tests/lit/passes/tile/plan_tiles_together.mlir"
"""Three convolutions: a wide one, a depthwise one and a narrow one."""


def planned(passes: str) -> tuple[dict[str, str], dict[str, LayerDecisions]]:
    """Return the schedule of each layer of the block, and what the last plan tells about it."""
    ctx, tracing = make_context(), PlanTracing()
    module = parse_module(BLOCK.read_text(encoding="utf-8"), ctx, str(BLOCK))
    pipeline = parse_pipeline(f"convert-tpu-to-tile,{passes}")
    run_pipeline(ctx, module, pipeline, instruments=[tracing])
    assert tracing.trace is not None
    schedules = re.findall(r"-> %(\w+) .*#tile\.schedule<(.*)> \{", print_module(module))
    return dict(schedules), {layer.name: layer for layer in tracing.trace}


def test_the_chosen_tiles_are_done_earlier_than_the_layers_own() -> None:
    """Of the last layer, whose end is that of the network."""
    together, layers = planned("tile-plan")
    alone, _ = planned("tile-plan{tiles=by-layer}")
    assert together["y"] != alone["y"]
    found = [each for each in layers["y"].tile.candidates if each.done_cycles is not None]
    (chosen,) = [each for each in found if each.is_chosen]
    assert chosen.done_cycles == min(each.done_cycles or 0 for each in found)
    (own,) = [each for each in found if (each.tile, each.depth) == ((1, 64, 2, 14), 384)]
    assert chosen.done_cycles < 0.9 * (own.done_cycles or 0)


def test_nothing_is_told_of_times_if_each_layer_is_tiled_by_itself() -> None:
    _, layers = planned("tile-plan{tiles=by-layer}")
    for layer in layers.values():
        assert {each.done_cycles for each in layer.tile.candidates} == {None}


def test_complete_schedules_stay() -> None:
    alone, _ = planned("tile-plan{tiles=by-layer}")
    assert planned("tile-plan{tiles=by-layer},tile-plan")[0] == alone


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("y", "depth = 384"),
        ("b", "tile = [1, 384, 1, 14]"),
        ("a", "order = rows_outer"),
        ("a", "block = 32"),
    ],
)
def test_what_a_schedule_gives_is_kept_and_neighbors_follow(
    name: str, given: str, tmp_path: Path
) -> None:
    file = tmp_path / "given.schedule"
    file.write_text(f'"{name}" <{given}>\n', encoding="utf-8")
    found, _ = planned(f'tile-set-schedules{{file="{file}"}},tile-plan')
    assert given in found[name]
    assert set(found) == {"a", "b", "y"}
