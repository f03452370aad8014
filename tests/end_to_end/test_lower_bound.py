"""The lower bound is one: no program of a random network is quicker, on any target; commands print it."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import Target, load_target, reference_to, shipped_targets
from smalti.compiler import compile_model, load_program
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.commit_seed import seed_of_commit

from .random_networks import networks
from .test_commands import Smalti, ok


def changed(target: Target, **fields: Any) -> Target:
    """The target with other values of fields, which are named as in `matrix__rows`."""
    described = json.loads(target.to_json())
    for name, value in fields.items():
        part, _, key = name.partition("__")
        described[part][key] = value
    return Target.from_json(json.dumps(described))


MACHINES = st.builds(
    changed,
    st.sampled_from([load_target(name) for name in shipped_targets()]),
    matrix__rows=st.sampled_from([8, 16, 64]),
    matrix__columns=st.sampled_from([8, 32, 64]),
    matrix__dataflow=st.sampled_from(
        ["weight_stationary", "output_stationary", "input_stationary"]
    ),
    matrix__overlap=st.booleans(),
    vector__startup_cycles=st.sampled_from([0, 8]),
    global_memory__gigabytes_per_second=st.sampled_from([8, 128, 2000]),
    global_memory__latency_cycles=st.sampled_from([0, 200]),
    dma__issue_cycles=st.sampled_from([0, 16]),
)


def check(model: onnx.ModelProto, target: Target, quantize: Quantize) -> None:
    """No part of the bound is above the program's cycles."""
    calibration = "random:0" if quantize == "int8" else None
    options = CompileOptions(reference_to(target), None, quantize, calibration)
    compilation = start_from_model(model, options)
    compilation.ctx.on_report = lambda diagnostic: None
    program = container.read(container.write(compilation.compile()))
    timing = simulate(program, mode="timing").timing
    assert timing is not None and program.lower_bound is not None
    for resource, cycles in program.lower_bound.parts.items():
        assert cycles <= timing.cycles, resource


SETTINGS = {"suppress_health_check": list(HealthCheck), "derandomize": True}
FORMATS = st.sampled_from(["int8", "f32", "f16"])


@pytest.mark.share(4)
@given(networks(), MACHINES, FORMATS)
@settings(max_examples=40, **SETTINGS)
def test_no_program_is_quicker(model: onnx.ModelProto, target: Target, quantize: Quantize):
    check(model, target, quantize)


@pytest.mark.slow
def test_no_program_of_many_is_quicker():
    """Other networks and machines with each commit."""

    @seed(seed_of_commit())
    @given(networks(max_nodes=12), MACHINES, FORMATS)
    @settings(max_examples=100, **{**SETTINGS, "derandomize": False, "database": None})
    def run(model: onnx.ModelProto, target: Target, quantize: Quantize):
        check(model, target, quantize)

    run()


def test_commands_and_python_tell_it(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    """The last line of a compile, `smalti info`, `smalti run` and Python agree."""
    program = tmp_path / "m.smalti"
    printed = ok(smalti("compile", small_onnx, "--quantize", "f32", "-o", program))
    compiled = compile_model(small_onnx, quantize="f32")
    cycles, bound = compiled.profile().cycles, compiled.bound
    assert bound is not None and bound == load_program(program).bound
    told = f"{bound.times(cycles)} the lower bound ({bound.cycles:,}), bound by {bound.resource}"
    assert printed.splitlines()[-1] == f"{cycles:,} cycles, {told}"
    assert told in ok(smalti("info", program))
    found = json.loads(ok(smalti("info", program, "--json")))["lower_bound"]
    assert found["cycles"] == bound.cycles == bound.parts[bound.resource]
    assert found["parts"] == bound.parts and found["ratio"] == cycles / bound.cycles
    ran = ok(smalti("run", program, "--mode", "timing"))
    assert f"{bound.cycles:,} by {bound.resource}: this is {bound.times(cycles)} as many" in ran
    # The second inference of two may run beside the first, so the bound of one says nothing of both.
    assert "lower bound" not in ok(smalti("run", program, "--mode", "timing", "--repeat", "2"))


def test_no_bound_of_what_is_no_network(smalti: Smalti, small_files: Path, tmp_path: Path):
    program = tmp_path / "m.smalti"
    for level in ("tile", "isa"):
        printed = ok(smalti("compile", small_files / f"small.{level}.mlir", "-o", program))
        assert "cycles; no lower bound" in printed.splitlines()[-1]
        assert "lower bound" not in ok(smalti("info", program))
        assert json.loads(ok(smalti("info", program, "--json")))["lower_bound"] is None
        assert "lower bound" not in ok(smalti("run", program, "--mode", "timing"))
    printed = ok(smalti("compile", small_files / "small.tpu.mlir", "-o", program))
    assert "times the lower bound" in printed.splitlines()[-1]
