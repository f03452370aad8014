"""Schedules as data: what a compile writes makes the same program again, and parts of it are obeyed."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program import container
from smalti.compiler import CompiledModel, Optimization, compile_model, load_program
from smalti.dialects.tile import Schedule
from smalti.dialects.tile.schedule import ScheduleAttr
from smalti.passes.tile.planning.decisions import read_trace
from smalti.passes.tile.schedule_text import parse_schedule
from smalti.tools import opt

from ..networks.transformer import bert_layer
from ..shared_files import ROOT
from .conftest import Ran, small_model
from .random_networks import networks
from .test_random_networks import MACHINES, inputs_of

Smalti = Callable[..., Ran]
CALIBRATED = {"calibration": "random:0"}
RANDOM = ("--calibration", "random:0")


def ok(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    return ran.out


def file_of(model: CompiledModel) -> bytes:
    return container.write(model.program)


def text_of(model: CompiledModel) -> str:
    assert model.schedule is not None
    return str(model.schedule)


def test_the_demo_network_on_the_command_line(smalti: Smalti, digits_model: Path, tmp_path: Path):
    words = ("compile", digits_model, "--calibration", "random:0", "--emit", "program,schedule")
    out = ok(smalti(*words, "-o", tmp_path / "a.smalti"))
    assert str(tmp_path / "a.schedule") in out
    ok(smalti(*words, "-o", tmp_path / "b.smalti", "--schedule", tmp_path / "a.schedule"))
    for kind in ("smalti", "schedule"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    # The program keeps it, also when files are lost.
    shown = ok(smalti("info", tmp_path / "b.smalti", "--schedule"))
    assert shown == (tmp_path / "a.schedule").read_text()


def test_only_the_schedule_is_written(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ok(
        smalti(
            "compile", small_onnx, "--quantize", "f32", "--emit", "schedule", "-o", tmp_path / "m"
        )
    )
    assert [path.name for path in tmp_path.iterdir()] == ["m.schedule"]


@pytest.mark.share(3)
@pytest.mark.parametrize("quantize", ["int8", "bf16"])
def test_a_network_of_the_tests(cifar10_model: Path, quantize):
    options = CALIBRATED if quantize == "int8" else {}
    first = compile_model(cifar10_model, quantize=quantize, **options)
    again = compile_model(cifar10_model, quantize=quantize, schedule=text_of(first), **options)
    assert file_of(again) == file_of(first)


@pytest.mark.share(3)
def test_a_transformer_whose_layers_have_names_alike():
    model = bert_layer(0)
    symbols = {"batch": 1, "sequence": 16}
    first = compile_model(model, quantize="f16", symbols=symbols)
    assert first.schedule is not None
    again = compile_model(model, quantize="f16", symbols=symbols, schedule=first.schedule)
    assert file_of(again) == file_of(first)


EFFECTS = (
    Optimization(on_chip=False),
    Optimization(1, multicast_weights=False, memory_effort=0),
    Optimization(split_factor=2, memory_effort=3),
    Optimization(objective="throughput"),
)
SETTINGS = {"suppress_health_check": list(HealthCheck), "derandomize": True}


@pytest.mark.share(4)
@given(networks(), MACHINES, st.data())
@settings(max_examples=20, **SETTINGS)
def test_any_part_of_a_schedule_is_obeyed(
    model: onnx.ModelProto, machine: tuple[str, int], data: st.DataObject
):
    """What is left out of a schedule is chosen anew, what is given stays; the numbers are the same to the bit."""
    target, cores = machine
    inputs = inputs_of(model, 1)
    options = {"target": target, "calibration": inputs}
    first = compile_model(model, cores=cores, **options)
    if first.schedule is None:
        return
    names = [each.name for each in fields(Schedule)]
    partial: dict[str, Schedule] = {}
    for name, schedule in first.schedule.items():
        left_out = data.draw(st.sets(st.sampled_from(names)), name)
        # Values for each part need the parts.
        kept = {"cores", "split", "windows"} if schedule.values_per_part != 1 else set()
        partial[name] = replace(schedule, **dict.fromkeys(left_out - kept))
    second = compile_model(model, schedule=partial, **options)
    whole = second.schedule
    assert whole is not None
    for name, schedule in partial.items():
        for each in names:
            if getattr(schedule, each) is not None:
                assert getattr(whole[name], each) == getattr(first.schedule[name], each), each
    assert file_of(compile_model(model, schedule=str(whole), **options)) == file_of(second)
    expected = first.run(inputs)
    for name, value in second.run(inputs).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.share(4)
@given(networks(), MACHINES)
@settings(max_examples=15, **SETTINGS)
def test_every_level_of_optimization_computes_the_same(
    model: onnx.ModelProto, machine: tuple[str, int]
):
    """Integers are the same to the bit, whatever the level, and whatever single effects are on."""
    target, cores = machine
    inputs = inputs_of(model, 2)
    expected: dict[str, np.ndarray] | None = None
    for optimization in (2, 1, 0, *EFFECTS):
        compiled = compile_model(
            model, target=target, cores=cores, calibration=inputs, optimization=optimization
        )
        outputs = compiled.run(inputs)
        expected = expected or outputs
        for name, value in outputs.items():
            np.testing.assert_array_equal(value, expected[name], str(optimization))


@pytest.mark.share(3)
def test_levels_are_worth_it(digits_model: Path):
    """Each level takes fewer cycles than the one below, and level 0 keeps nothing on chip."""
    models = [compile_model(digits_model, optimization=level, **CALIBRATED) for level in range(3)]
    cycles = [model.profile().cycles for model in models]
    assert cycles == sorted(cycles, reverse=True) and cycles[0] > 2 * cycles[2]
    assert models[0].schedule is not None
    assert {each.output for each in models[0].schedule.values()} == {"global"}
    assert {each.weights for each in models[0].schedule.values()} <= {"separate", None}
    assert "group = " not in models[0].ir("tile")
    # With the schedule of another level, only the order of loads is left to choose.
    again = compile_model(digits_model, schedule=models[0].schedule, **CALIBRATED)
    assert again.schedule == models[0].schedule


def test_effects_on_the_command_line(smalti: Smalti, digits_model: Path, tmp_path: Path):
    words = ("compile", digits_model, "--quantize", "f32", "--emit", "schedule,program")
    output = ("-o", tmp_path / "m.smalti")
    ok(smalti(*words, *output, "--split-factor", "2", "--no-on-chip", "--memory-effort", "0"))
    schedule = load_program(tmp_path / "m.smalti").schedule
    assert schedule is not None and str(schedule) == (tmp_path / "m.schedule").read_text()
    assert {each.output for each in schedule.values()} == {"global"}
    assert max(len(each.cores or ()) for each in schedule.values()) == 2
    (tmp_path / "m.schedule").rename(tmp_path / "given.schedule")
    given = ("--schedule", tmp_path / "given.schedule")
    ran = smalti(*words, *output, *given, "--split-factor", "1")
    assert ran.code == 1 and "--split-factor 1 rules out what the schedule says" in ran.err
    ok(smalti(*words, *output, *given, "-O0"))


def test_the_pipeline_names_the_file(
    smalti: Smalti, small_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The pipeline's text makes the same program of the same file in smalti-opt."""
    monkeypatch.chdir(tmp_path)
    Path("a.schedule").write_text('"*" <cores = [1]>\n')
    words = ("compile", small_onnx, "--quantize", "f32", "--schedule", "a.schedule")
    pipeline = ok(smalti(*words, "-o", "m.smalti", "--print-pipeline")).strip()
    assert 'convert-tpu-to-tile,tile-set-schedules{file="a.schedule"},tile-plan,' in pipeline
    ok(smalti("import", small_onnx, "-o", "m.top.mlir"))
    assert opt.main(["m.top.mlir", "-p", pipeline, "-o", "m.isa.mlir"]) == 0
    ok(smalti("assemble", "m.isa.mlir", "-o", "n.smalti"))
    first, second = container.load("m.smalti"), container.load("n.smalti")
    second.lower_bound, second.schedule = first.lower_bound, first.schedule
    assert container.write(first) == container.write(second)
    assert [len(stream) > 0 for stream in first.streams] == [False, True]


def test_from_every_level_above_the_tiles(smalti: Smalti, small_files: Path, tmp_path: Path):
    schedule = tmp_path / "a.schedule"
    schedule.write_text(ok(smalti("info", small_files / "small.smalti", "--schedule")))
    for level in ("top", "tpu"):
        source = small_files / f"small.{level}.mlir"
        ok(smalti("compile", source, "--schedule", schedule, "-o", tmp_path / "m.smalti"))
        expected = (small_files / "small.smalti").read_bytes()
        assert (tmp_path / "m.smalti").read_bytes() == expected
    for level in ("tile", "isa"):
        source = small_files / f"small.{level}.mlir"
        ran = smalti("compile", source, "--schedule", schedule, "-o", tmp_path / "n.smalti")
        assert ran.code == 1 and f"--schedule is settled in {level} IR" in ran.err
        ran = smalti("compile", source, "--emit", "schedule", "-o", tmp_path / "n.smalti")
        assert ran.code == 1
        assert "there is no schedule" in ran.err or "cannot go from isa IR up to tile" in ran.err
        ok(smalti("compile", source, "-o", tmp_path / "n.smalti"))
        ran = smalti("info", tmp_path / "n.smalti", "--schedule")
        assert ran.code == 1 and "the program holds no schedule" in ran.err


def test_the_schedule_may_not_be_overwritten(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    schedule = tmp_path / "m.schedule"
    schedule.write_text('"y" <cores = [0]>\n')
    words = ("compile", small_onnx, "--quantize", "f32", "--schedule", schedule)
    ran = smalti(*words, "--emit", "schedule", "-o", tmp_path / "m.smalti")
    assert ran.code == 1 and "the output would replace the input" in ran.err
    assert schedule.read_text() == '"y" <cores = [0]>\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"first_relu" <cores = [0]>', ["1:1: error: there is no layer 'first_relu'"]),
        ('"y" <cores = [9]>', ["schedule has core 9, target 'default-8c' has 8 cores"]),
        ('"y" <split = [1, 3]>', ["cannot be divided into 3 equal parts"]),
        ('"y" <cores = 3>', ["m.schedule:1:14: error:"]),
        ('"y" <cores = []>', ["m.schedule:1:5: error: 'cores' is empty"]),
        ('"y" <cores = [0, 0]>', ["m.schedule:1:5: error: 'cores' has core 0 more than once"]),
        # What only a pass that obeys the schedule sees is told at the field, too, without the IR.
        (
            '// comment\n"y" <weights = separate,\n  tile = [3, 16]>',
            ["m.schedule:3:3: error: this does not fit layer 'y': tpu.matmul: tile [3, 16]", "at most 1"],
        ),
        ('"y" <output = local>', ["m.schedule:1:6: error: this does not fit layer 'y': "]),
        ('"y" <block = 3>', ["m.schedule:1:6: error: this does not fit layer 'y'", "may be 16, 32, 48"]),
        ('"*" <depth = 3>', ["m.schedule:1:6: error: this does not fit layer"]),
        (
            '"y" <cores = [1]>\n"y" <split = [1, 9]>',
            ["m.schedule:2:6: error: this does not fit layer 'y'", "no axis can be"],
        ),
        ('schedule for network "n" target "default-8c"', ["1:1: error: this schedule is for another"]),
    ],
)  # fmt: skip
def test_mistakes(smalti: Smalti, small_onnx: Path, tmp_path: Path, text: str, told: list[str]):
    (tmp_path / "m.schedule").write_text(text)
    words = ("compile", small_onnx, "--quantize", "f32", "--schedule", tmp_path / "m.schedule")
    ran = smalti(*words, "-o", tmp_path / "m.smalti")
    assert ran.code == 1 and "Traceback" not in ran.err
    assert all(each in ran.err for each in told), ran.err
    assert "tile.program" not in ran.err
    assert not (tmp_path / "m.smalti").exists()


def test_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = compile_model(small_model(), quantize="f32", schedule={"y": {"cores": [3]}})
    assert first.schedule is not None and first.schedule["y"].cores == (3,)
    assert repr(first.schedule).startswith("<NetworkSchedule of 'main' for default-8c: ")
    first.save(tmp_path / "m.smalti")
    assert load_program(tmp_path / "m.smalti").schedule == first.schedule
    later = {**first.schedule, "y": Schedule(cores=(5,), order=("rows_outer",))}
    second = compile_model(small_model(), quantize="f32", schedule=later)
    assert second.schedule is not None and second.schedule["y"].cores == (5,)
    others = [{**model.schedule, "y": None} for model in (first, second) if model.schedule]
    assert others[0] == others[1]
    # The pipeline's text reads a schedule that was no file from a file that can be written.
    monkeypatch.chdir(tmp_path)
    onnx.save(small_model(), "small.onnx")
    assert first.save_schedule(".") == Path("network.schedule")
    assert 'tile-set-schedules{file="network.schedule"}' in first.pipeline
    again = compile_model("small.onnx", quantize="f32", schedule="network.schedule")
    assert file_of(again) == file_of(first) and again.pipeline == first.pipeline


def test_mistakes_from_python():
    with pytest.raises(DiagnosticError, match=r"<schedule>:1:1: error: there is no layer 'z'"):
        compile_model(small_model(), quantize="f32", schedule={"z": {"cores": [3]}})


def test_a_program_with_a_damaged_schedule(small_files: Path):
    model = load_program(small_files / "small.smalti")
    model.program.schedule = '"y" <core = [1]>\n'
    with pytest.raises(DiagnosticError, match="no field 'core'"):
        print(model.schedule)


@pytest.mark.share(3)
@pytest.mark.parametrize("network", ["digits", "cifar10"])
def test_the_plan_of_a_network_is_explained(
    network: str, smalti: Smalti, digits_model: Path, tmp_path: Path
):
    """The decisions are about all layers, and end in the schedule; program and output are those of a plain compile."""
    cifar = ROOT / "tests/data/cifar10_mobilenetv2.onnx"
    words = ("compile", digits_model if network == "digits" else cifar, *RANDOM)
    plain = smalti(*words, "--emit", "program,schedule", "-o", tmp_path / "a.smalti")
    flags = ("--explain-plan", "/features/features.2/*", "--plan-trace", tmp_path / "a.json")
    ran = smalti(*words, "-o", tmp_path / "b.smalti", *flags)
    assert ok(plain).splitlines()[-1] == ok(ran).splitlines()[-1]
    assert (tmp_path / "a.smalti").read_bytes() == (tmp_path / "b.smalti").read_bytes()
    trace = read_trace((tmp_path / "a.json").read_text())
    schedule = parse_schedule((tmp_path / "a.schedule").read_text())
    assert {each.name: f"<{each.schedule}>" for each in trace} == {
        name: f"<{ScheduleAttr(each).body()}>" for name, each in schedule.items()
    }
    explained = [each.name for each in trace if "/features/features.2/" in f"{each.nodes}"]
    assert len(explained) == 3
    assert [line.partition(": tpu.")[0] for line in ran.err.splitlines() if ": tpu." in line] == (
        explained
    )


def test_ir_that_is_planned_has_no_trace(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    words = ("compile", small_onnx, "--quantize", "f32", "--emit", "tile,isa")
    ok(smalti(*words, "-o", tmp_path / "m.smalti"))
    for flags in (("--plan-trace", tmp_path / "t.json"), ("--explain-plan", "y")):
        for level, told in (("tile", "planning is done already"), ("isa", "does not run")):
            ran = smalti(
                "compile", tmp_path / f"m.{level}.mlir", *flags, "-o", tmp_path / "n.smalti"
            )
            assert ran.code == 1 and told in ran.err and "hint: " in ran.err, ran.err
            assert not (tmp_path / "t.json").exists() and not (tmp_path / "n.smalti").exists()


@pytest.mark.share(3)
def test_a_model_compiled_in_python_explains_its_plan(digits_model: Path):
    model = compile_model(digits_model, trace_plan=True, **CALIBRATED)
    assert model.plan_trace is not None and model.schedule is not None
    assert [each.name for each in model.plan_trace] == list(model.schedule)
    assert "\nlogits: tpu.matmul, 1x10 i8\n" in model.explain_plan("logits")
    with pytest.raises(DiagnosticError, match="no layer, and no ONNX node of one"):
        model.explain_plan("logit")
    plain = compile_model(digits_model, **CALIBRATED)
    assert plain.plan_trace is None and file_of(plain) == file_of(model)
    with pytest.raises(DiagnosticError, match="were not taken down"):
        plain.explain_plan("logits")
    with pytest.raises(DiagnosticError, match="pass 'tile-plan' does not run"):
        compile_model(digits_model, trace_plan=True, passes={"tile-plan": False}, **CALIBRATED)


@pytest.mark.share(3)
@given(networks(), MACHINES, st.integers(0, 2))
@settings(max_examples=15, **SETTINGS)
def test_any_plan_is_told_and_stays_the_same(
    model: onnx.ModelProto, machine: tuple[str, int], level: int
):
    """The trace has a chosen candidate for all that was decided, its document is read as it was written, and the
    program is that of a compile without it.
    """
    target, cores = machine
    options = {"target": target, "cores": cores, "optimization": level, **CALIBRATED}
    traced = compile_model(model, trace_plan=True, **options)
    assert file_of(traced) == file_of(compile_model(model, **options))
    trace = traced.plan_trace
    assert trace is not None and read_trace(trace.json()) == trace
    for layer in trace:
        assert [each.is_chosen for each in layer.split.candidates].count(True) == 1
        assert not layer.tile.candidates or any(each.is_chosen for each in layer.tile.candidates)
        assert (layer.output.place == "global") == ("output = global" in layer.schedule)
        assert f"{layer.name}: {layer.op}" in traced.explain_plan(layer.name)
