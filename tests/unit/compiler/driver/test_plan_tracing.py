"""The decisions of `tile-plan` are taken down whole, told in words, and are the same whether anyone looks or not."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import get_args

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.driver.plan_tracing import PlanTracing, explain
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.planning import decisions
from smalti.passes.tile.planning.decisions import PlanTrace, read_trace

from tests.shared_files import ROOT

LOWERING = "convert-top-to-tpu{target=%s quantize=f32},convert-tpu-to-tile,"

T = "tensor<1x16x8x8xf32>"
JOINED = f"""
func.func @main(%x: {T}) -> {T} attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{
  %w = top.weight "w" seed = 1 : tensor<16x16x3x3xf32>
  %a = top.conv2d "a" %x, %w pads = [1, 1, 1, 1] : ({T}, tensor<16x16x3x3xf32>) -> {T} loc("Conv_a")
  %b = top.relu "b" %a : ({T}) -> {T} loc("Relu_b")
  %c = top.concat "c" %a, %b axis = 1 : ({T}, {T}) -> tensor<1x32x8x8xf32> loc("Concat_c")
  %v = top.weight "v" seed = 2 : tensor<16x32x1x1xf32>
  %y = top.conv2d "y" %c, %v : (tensor<1x32x8x8xf32>, tensor<16x32x1x1xf32>) -> {T} loc("Conv_y")
  func.return %y : {T}
}}
"""
"""A convolution that is joined with its activation, and another one."""

L = "tensor<1x64x256x256xf32>"
LARGE = f"""
func.func @main(%x: {L}) -> {L} attributes {{smalti.inputs = ["x"], smalti.outputs = ["b"]}} {{
  %a = top.relu "a" %x : ({L}) -> {L}
  %b = top.relu "b" %a : ({L}) -> {L}
  func.return %b : {L}
}}
"""
"""A tensor of 16 MiB between two layers."""


N, W = "tensor<1x16x96x96xf32>", "tensor<1x96x96x96xf32>"
WIDE = f"""
func.func @main(%x: {N}) -> {N} attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{
  %u = top.weight "u" seed = 1 : tensor<96x16x1x1xf32>
  %a = top.conv2d "a" %x, %u : ({N}, tensor<96x16x1x1xf32>) -> {W}
  %v = top.weight "v" seed = 2 : tensor<16x96x1x1xf32>
  %b = top.conv2d "b" %a, %v : ({W}, tensor<16x96x1x1xf32>) -> {N}
  %y = top.relu "y" %b : ({N}) -> {N}
  func.return %y : {N}
}}
"""
"""A tensor of 3.4 MiB between two convolutions."""


def traced(
    text: str, passes: str = "tile-plan", target: str = "default-8c", **options: object
) -> tuple[PlanTrace, str]:
    """Run passes on top IR; return the trace and the IR."""
    ctx = make_context()
    module = parse_module(text, ctx, "test.mlir")
    tracing = PlanTracing(**options)
    pipeline = parse_pipeline((LOWERING % target) + passes)
    run_pipeline(ctx, module, pipeline, instruments=[tracing])
    assert tracing.trace is not None
    return tracing.trace, print_module(module)


def untraced(text: str, passes: str) -> str:
    ctx = make_context()
    module = parse_module(text, ctx, "test.mlir")
    run_pipeline(ctx, module, parse_pipeline((LOWERING % "default-8c") + passes))
    return print_module(module)


@pytest.mark.parametrize(
    "passes",
    [
        "tile-plan",
        "tile-plan{splits=by-layer}",
        "tile-plan{on_chip=false multicast_weights=false}",
        "tile-plan{cores=3}",
        "tile-plan{parts=2},tile-slice-groups,tile-split-over-cores,tile-plan",
    ],
)
@pytest.mark.parametrize("network", [JOINED, LARGE])
def test_the_plan_is_the_same_whether_it_is_traced_or_not(network: str, passes: str):
    assert traced(network, passes)[1] == untraced(network, passes)


def test_a_layer_has_its_candidates_and_the_chosen_one_among_them():
    for passes in ("tile-plan", "tile-plan{splits=by-layer}"):
        trace, text = traced(JOINED, passes)
        assert [layer.name for layer in trace] == ["a", "b", "c", "y"]
        for layer in trace:
            assert f"#tile.schedule<{layer.schedule}>" in text
            assert [each.is_chosen for each in layer.split.candidates].count(True) == 1
            assert [each.is_chosen for each in layer.tile.candidates].count(True) == 1
            cycles = [each.compared_cycles for each in layer.split.candidates]
            assert cycles == sorted(cycles)
            assert f"cores = {list(layer.split.chosen.cores)}" in layer.schedule
            (tile,) = [each for each in layer.tile.candidates if each.is_chosen]
            assert f"tile = {list(tile.tile)}" in layer.schedule
            assert tile.fits and tile.local_bytes <= tile.share * 2 * 2**20
        assert trace.layers[0].nodes == ("Conv_a",)


def test_the_margin_is_by_how_much_the_next_candidate_is_worse():
    trace, _ = traced(JOINED)
    for layer in trace:
        own, *others = (each.compared_cycles for each in layer.split.candidates)
        assert layer.split.margin == pytest.approx(min(others) / own - 1)
    alone, _ = traced(JOINED, "tile-plan{cores=1}")
    assert all(layer.split.margin is None for layer in alone)


def test_layers_that_are_divided_together_have_times_at_which_they_are_done():
    trace, _ = traced(JOINED)
    done = [layer.split.chosen.done_cycles for layer in trace]
    assert all(done) and done == sorted(each or 0 for each in done)
    alone, _ = traced(JOINED, "tile-plan{splits=by-layer}")
    for layer in alone:
        assert {each.done_cycles for each in layer.split.candidates} == {None}


@pytest.mark.parametrize("options", ["", "{splits=by-layer}", "{on-chip=false}", "{cores=1}"])
def test_every_plan_has_times_at_which_its_layers_are_done(options: str):
    trace, _ = traced(JOINED, f"tile-plan{options}")
    done = [layer.done_cycles for layer in trace]
    assert done[0] > 0 and done == sorted(done)


def places(trace: PlanTrace) -> dict[str, tuple[str, str]]:
    return {layer.name: (layer.output.place, layer.output.why) for layer in trace}


def test_why_outputs_are_where_they_are():
    trace, _ = traced(JOINED)
    assert places(trace) == {
        "a": ("in_place", "fits"),
        "b": ("in_place", "fits"),
        "c": ("local", "fits"),
        "y": ("global", "port"),
    }
    a, b, c, _ = (layer.output for layer in trace)
    assert (a.in_place, a.inside, b.inside) == ("joined", "c", "c")
    assert (c.in_place, c.until) == ("no_alias", "y")
    own, _ = traced(JOINED, "tile-plan{in-place=false}")
    assert places(own)["a"] == ("local", "fits")
    assert {each.output.in_place for each in own} == {"option", "no_alias", None}
    off, _ = traced(JOINED, "tile-plan{on_chip=false}")
    assert places(off)["a"] == ("global", "option")


def test_what_a_schedule_says_is_told_as_its_decision(tmp_path: Path):
    (tmp_path / "s").write_text(
        '"a" <split = [1, 1, 2, 1], output = global, weights = separate>\n'
        '"b" <output = local, tile = [1, 16, 2, 8]>\n'
    )
    trace, _ = traced(JOINED, f'tile-set-schedules{{file="{tmp_path / "s"}"}},tile-plan')
    a, b, *_ = trace.layers
    assert a.split.decided_by == "schedule" and len(a.split.candidates) == 1
    assert (a.output.place, a.output.why) == ("global", "schedule")
    assert (a.weights.value, a.weights.why) == ("separate", "schedule")
    assert b.split.decided_by == "search"
    assert (b.tile.decided_by, b.tile.candidates) == ("schedule", ())
    assert (b.output.place, b.output.why) == ("local", "schedule")
    assert "its schedule says so" in explain(trace, ["a", "b"])


def test_windows_of_a_schedule_have_no_split(tmp_path: Path):
    windows = [[0, 1, 0, 16, 0, 3, 0, 8], [0, 1, 0, 16, 3, 8, 0, 8]]
    (tmp_path / "s").write_text(f'"b" <windows = {windows}>\n')
    trace, _ = traced(JOINED, f'tile-set-schedules{{file="{tmp_path / "s"}"}},tile-plan')
    decision = trace.layers[1].split
    assert (decision.decided_by, decision.chosen.split) == ("schedule", None)
    assert len(decision.chosen.cores) == 2
    assert "  *  windows      2" in explain(trace, ["b"])


def test_layers_that_are_divided_already_have_one_candidate_each():
    trace, _ = traced(JOINED, "tile-plan{cores=2},tile-split-over-cores,tile-plan")
    assert [layer.name for layer in trace].count("a") == 2
    assert {layer.split.decided_by for layer in trace} == {"schedule"}
    assert all(len(layer.split.candidates) == 1 for layer in trace)


def test_a_better_way_that_the_search_missed_is_told():
    trace, _ = traced(JOINED)
    first = trace.layers[0]
    chosen, best = first.split.chosen, replace(first.split.chosen, is_chosen=False)
    assert chosen.network_cycles is not None
    best = replace(best, network_cycles=round(chosen.network_cycles * 0.9))
    split = replace(first.split, candidates=(best, chosen))
    assert split.margin == pytest.approx(-0.1, abs=0.001)
    text = explain(replace(trace, layers=(replace(first, split=split),)), ["a"])
    assert "another, which the search missed, makes the network 10.0% faster" in text


def test_where_there_is_no_room_the_bytes_are_told():
    trace, _ = traced(LARGE, target="edge-1c")
    a = trace.layers[0].output
    assert (a.place, a.why) == ("global", "no_room") and a.shortage is not None
    assert a.shortage.needed_bytes == 64 * 256 * 256 * 4 > a.shortage.free_bytes
    assert "it needs 16,777,216 bytes of core 0, which has" in explain(trace, ["a"])


def test_layers_that_gain_too_little_as_a_group_are_told():
    trace, _ = traced(LARGE, target="edge-1c")
    for layer in trace:
        group = layer.group
        assert group is not None and group.layers == ("a", "b")
        assert group.is_made == (group.why == "gains")
        assert group.candidates[0].slices == 1


@pytest.mark.parametrize(
    ("why", "gain", "text"),
    [
        ("gains_little", 0.05, "they take 5.0% fewer cycles by themselves, and a group must take"),
        ("gains_little", -0.05, "they take 5.0% more cycles by themselves, and a group must take"),
        (
            "crowded",
            0.2,
            "they take 20.0% fewer cycles by themselves, but beside the other tensors",
        ),
        ("not_played", None, "they cannot be carried out by themselves"),
    ],
)
def test_why_layers_are_no_group(why: decisions.GroupReason, gain: float | None, text: str):
    group = decisions.GroupDecision(
        ("a", "b"), False, why, None, None, None, None, gain, 0.08,
        (decisions.GroupCandidate(1, 900, True), decisions.GroupCandidate(4, None, False)), None,
    )  # fmt: skip
    trace, _ = traced(JOINED)
    layers = (replace(trace.layers[0], group=group),)
    found = explain(replace(trace, layers=layers), ["a"])
    assert (
        f"  group: none of 2 layers, 'a' to 'b': {'' if gain is None else 'slice by slice '}{text}"
        in found
    )
    assert read_trace(replace(trace, layers=layers).json()).layers == layers


def test_the_trace_of_a_plan_with_groups_is_that_of_the_layers_in_them():
    """Layers are planned several times where groups are tried; what is told is about the last choice."""
    trace, text = traced(WIDE, target="edge-1c")
    assert "tile.group" in text
    made = [layer for layer in trace if layer.group is not None and layer.group.is_made]
    assert [layer.name for layer in made][-2:] == ["a", "b"]
    for layer in trace:
        assert sum(each.is_chosen for each in layer.split.candidates) == 1
        assert f"output = {layer.output.place}" in layer.schedule


def test_why_cores_get_what_they_share():
    trace, _ = traced(JOINED)
    a = trace.layers[0]
    assert (a.weights.value, a.weights.why) == ("multicast", "shared")
    assert a.weights.sharing == len(a.split.chosen.cores) > 1
    alone, _ = traced(JOINED, "tile-plan{multicast_weights=false}")
    assert (alone.layers[0].weights.value, alone.layers[0].weights.why) == ("separate", "option")
    single, _ = traced(JOINED, "tile-plan{cores=1}")
    assert (single.layers[0].weights.value, single.layers[0].weights.why) == (
        "separate",
        "not_shared",
    )


def test_the_document_is_read_as_it_was_written(tmp_path: Path):
    trace, _ = traced(JOINED, file=tmp_path / "trace.json")
    text = (tmp_path / "trace.json").read_text()
    assert read_trace(text) == trace
    assert json.loads(text) == json.loads(json.dumps(asdict(trace)))
    # A line for each layer, so that versions can be compared.
    assert len(text.splitlines()) == len(trace.layers) + 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this is no JSON"),
        ("[]", "this is no trace of a plan"),
        ('{"format": "other"}', "this is no trace of a plan"),
        ('{"format": "smalti-plan-trace", "version": 99}', "this trace has version 99, expected 3"),
        ('{"format": "smalti-plan-trace", "version": 3}', "network: "),
    ],
)
def test_another_document_is_refused(text: str, message: str):
    with pytest.raises(DiagnosticError, match=message):
        read_trace(text, "trace.json")


def test_the_page_describes_every_field_and_reason():
    page = (ROOT / "passes/tile/schedules.md").read_text()
    section = page.partition("## Why it is so")[2].partition("\n## ")[0]
    own = [each for each in vars(decisions).values() if is_dataclass(each)]
    classes = [each for each in own if each.__module__ == decisions.__name__]
    names = {field.name for each in classes for field in fields(each)}
    reasons = (
        decisions.PlaceReason, decisions.InPlaceReason, decisions.SendingReason, decisions.DecidedBy,
        decisions.GroupReason,
    )  # fmt: skip
    words = names | {word for each in reasons for word in get_args(each)}
    assert not [word for word in sorted(words) if f"`{word}`" not in section]


def explained(*nodes: str) -> str:
    stream = io.StringIO()
    traced(JOINED, nodes=nodes, stream=stream)
    return stream.getvalue()


def test_layers_are_named_by_result_by_node_and_by_glob():
    assert explained("a").startswith("a: tpu.conv2d, 1x16x8x8 f32\n  from Conv_a\n")
    assert explained("Conv_a") == explained("a")
    assert explained("Conv_*") == explained("a", "y") == explained("y", "a")
    assert explained("[ab]").count("split: ") == 2


@pytest.mark.parametrize(
    ("node", "hint"),
    [("Conv_x", "did you mean Conv_"), ("z*", "smalti compile --emit schedule writes")],
)
def test_a_name_that_means_nothing_is_refused_before_the_pass_runs(node: str, hint: str):
    with pytest.raises(DiagnosticError, match="no layer, and no ONNX node") as error:
        explained("a", node)
    assert hint in (error.value.hint or "")


def test_a_trace_is_about_one_program(tmp_path: Path):
    """If a program is planned again, the trace has the last plan; another program is refused."""
    tracing, ctx = PlanTracing(file=tmp_path / "t.json"), make_context()
    passes = parse_pipeline((LOWERING % "default-8c") + "tile-plan,tile-plan")
    run_pipeline(ctx, parse_module(JOINED, ctx, "a"), passes, instruments=[tracing])
    last = read_trace((tmp_path / "t.json").read_text())
    assert {layer.split.decided_by for layer in last} == {"schedule"}
    with pytest.raises(DiagnosticError, match="there are several programs"):
        run_pipeline(ctx, parse_module(JOINED, ctx, "b"), passes, instruments=[tracing])


def test_a_program_without_layers_has_nothing_to_explain():
    passes = "tile-plan,tile-split-over-cores,tile-cut-to-local-memory"
    ctx = make_context()
    module = parse_module(JOINED, ctx, "test.mlir")
    run_pipeline(ctx, module, parse_pipeline((LOWERING % "edge-1c") + passes))
    for tracing in (PlanTracing(["a"]), PlanTracing()):
        with pytest.raises(DiagnosticError, match="planning is done already") as caught:
            run_pipeline(ctx, module, parse_pipeline("tile-plan"), instruments=[tracing])
        assert "IR of level top or tpu" in str(caught.value.hint)
