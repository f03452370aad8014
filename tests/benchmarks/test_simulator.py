"""How fast the simulator is, and the text of programs: ResNet-50 and MobileNetV2 at 224x224, INT8, 8 cores.

What a peer takes for the same in the same run stands in `extra_info` and is printed. Nothing is
asserted on the clock.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx
import onnxruntime
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.instructions.instruction_set import ENGINES, Load, Store
from smalti.backends.program.encoding import select
from smalti.backends.program.program import Program
from smalti.backends.simulator.functional.functional_simulator import FunctionalSimulator
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing import timed_run
from smalti.backends.targets.systolic import gemm_cycles
from smalti.compiler import CompiledModel, compile_model
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module

from tests.networks.catalog import NETWORKS
from tests.networks.onnxruntime_int8 import quantized_model

from .conftest import Say
from .scalesim_peer import Product, compute_cycles


@dataclass(frozen=True)
class Compiled:
    """A network, its program, and the program's file."""

    name: str
    model: onnx.ModelProto
    program: CompiledModel
    file: Path


@pytest.fixture(
    scope="module", params=["mobilenet_v2", pytest.param("resnet50", marks=pytest.mark.slow)]
)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compiled]:
    """A network, compiled once."""
    model = NETWORKS[request.param].make(0)
    program = compile_model(model, calibration="random:0", batch=1)
    file = tmp_path_factory.mktemp(request.param) / "network.smalti"
    program.save(file)
    yield Compiled(request.param, model, program, file)


def seconds(run: Callable[[], object], rounds: int) -> float:
    """The median time of a few runs, after a first one."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def test_timing_from_a_cold_process(benchmark: BenchmarkFixture, network: Compiled):
    """`smalti run FILE --mode timing` from the start of the process to its end."""
    words = [
        sys.executable,
        "-m",
        "smalti.tools.main",
        "run",
        str(network.file),
        "--mode",
        "timing",
    ]
    printed = benchmark.pedantic(subprocess.check_output, args=(words,), rounds=3)
    assert b"cycles" in printed


def test_timing_in_a_process(benchmark: BenchmarkFixture, network: Compiled):
    """Decode, cost, simulate and report one inference."""
    timing = benchmark.pedantic(network.program.profile, rounds=5)
    benchmark.extra_info["instructions"] = network.program.program.instruction_count
    benchmark.extra_info["cycles"] = timing.cycles


@pytest.mark.parametrize("compiled", [False, True], ids=["python", "numba"])
def test_timing_in_the_steady_state(
    benchmark: BenchmarkFixture,
    network: Compiled,
    compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
    say: Say,
):
    """Inferences in a row; SCALE-Sim simulates matrix products, cycle by cycle."""
    if compiled:
        pytest.importorskip("numba", reason="numba is an optional dependency: smalti[fast]")
    monkeypatch.setattr(timed_run, "compilation_pays", lambda occurrences: compiled)
    size = network.program.program.instruction_count
    repeat = (1_000_000 if compiled else 50_000) // size
    network.program.profile(repeat=2)  # numba compiles, or loads what it has compiled
    timing = benchmark.pedantic(network.program.profile, kwargs={"repeat": repeat}, rounds=2)
    assert timing.steady_cycles > 0
    if benchmark.stats is not None:
        rate = repeat * size / benchmark.stats.stats.median
        benchmark.extra_info["instructions_per_second"] = round(rate)
        say(f"{network.name}: {rate:,.0f} instructions a second ({repeat} inferences)")


def in_a_row(program: Program, times: int) -> Program:
    """A program whose streams have `times` copies one after the other: waits, counters and groups go on counting."""
    signals = np.zeros((len(program.streams), max(program.counters, 1)), np.int64)
    for stream in program.streams:
        for core in range(len(program.streams)):
            sent = stream["signal_cores"] >> np.uint64(core) & np.uint64(1) != 0
            np.add.at(signals[core], stream["signal_counter"][sent], 1)
    kinds = (Load, Store)
    groups = max(
        int(select(s, kind)[1]["group"].max(initial=0)) for s in program.streams for kind in kinds
    )
    streams = []
    for core, stream in enumerate(program.streams):
        copies = []
        for number in range(times):
            copy = stream.copy()
            for code, engine in enumerate(ENGINES):
                waits = copy[f"wait_{engine}"]
                waits[waits != 0] += np.uint32(number * np.count_nonzero(stream["engine"] == code))
            for kind in kinds:
                transfers, words = select(copy, kind)
                words["group"][words["group"] != 0] += np.uint32(number * groups)
                copy[transfers] = words.view(copy.dtype)
            waiting = copy["wait_value"] != 0
            copy["wait_value"][waiting] += (
                number * signals[core][copy["wait_counter"][waiting]]
            ).astype(np.uint32)
            copies.append(copy)
        streams.append(np.concatenate(copies))
    return Program(
        program.target, streams, program.weights, program.inputs, program.outputs,
        program.segment_sizes, program.counters, program.local_bytes, program.acc_bytes,
        program.debug,
    )  # fmt: skip


def test_timing_of_a_long_program(
    benchmark: BenchmarkFixture, network: Compiled, monkeypatch: pytest.MonkeyPatch, say: Say
):
    """Half a million instructions, each decoded, costed and simulated."""
    pytest.importorskip("numba", reason="numba is an optional dependency: smalti[fast]")
    whole = network.program.program
    program = in_a_row(whole, 500_000 // whole.instruction_count)
    simulate(
        whole, mode="timing", repeat=timed_run.COMPILE_OCCURRENCES // whole.instruction_count + 1
    )
    result = benchmark.pedantic(simulate, args=(program,), kwargs={"mode": "timing"}, rounds=2)
    assert result.timing is not None and result.timing.cycles > 0
    if benchmark.stats is not None:
        rate = program.instruction_count / benchmark.stats.stats.median
        benchmark.extra_info["instructions_per_second"] = round(rate)
        say(f"{network.name} in a row: {rate:,.0f} instructions a second, decoding included")


RESNET50_LAYERS = (
    Product("conv2_3x3", 3136, 576, 64), Product("conv3_3x3", 784, 1152, 128),
    Product("conv4_1x1", 196, 1024, 256), Product("conv4_3x3", 196, 2304, 256),
    Product("conv5_1x1", 49, 2048, 512), Product("conv5_3x3", 49, 4608, 512),
)  # fmt: skip


def test_timing_beside_scalesim(benchmark: BenchmarkFixture, say: Say):
    """Six of ResNet-50's layers as matrix products on one 64x64 array: the formula, and SCALE-Sim."""
    pytest.importorskip("scalesim", reason="SCALE-Sim is not installed: smalti[bench]")
    cycles, peer = compute_cycles(RESNET50_LAYERS, 64)

    def formula() -> list[int]:
        return [gemm_cycles(p.m, p.k, p.n, 64, 64, "weight_stationary") for p in RESNET50_LAYERS]

    assert benchmark(formula) == cycles
    benchmark.extra_info["scalesim_compute_seconds"] = round(peer, 2)
    say(f"SCALE-Sim: {peer:.1f} s for the compute part of six layers, the same cycles")


def test_functional(benchmark: BenchmarkFixture, network: Compiled, say: Say):
    """One INT8 inference from the program to the values; beside it ONNX Runtime's INT8 and float."""
    (name, images), *_ = NETWORKS[network.name].data(2, 1).items()
    image = {name: images[:1]}
    result = benchmark.pedantic(
        lambda: FunctionalSimulator(network.program.program).run(image), rounds=3, warmup_rounds=1
    )
    assert len(result) == 1
    quantized = quantized_model(network.model, {name: images})
    for kind, model in (("int8", quantized), ("float", network.model)):
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        peer = seconds(lambda session=session: session.run(None, image), 5)
        benchmark.extra_info[f"onnxruntime_{kind}_seconds"] = peer
        say(f"{network.name}: ONNX Runtime {kind} {peer * 1e3:.1f} ms")


@pytest.mark.parametrize("jobs", [1, 2])
def test_functional_of_eight_samples(benchmark: BenchmarkFixture, network: Compiled, jobs: int):
    """Eight images, in one process and in two (each starts afresh and loads the program)."""
    (name, images), *_ = NETWORKS[network.name].data(8, 1).items()
    kwargs = {"jobs": jobs}
    outputs = benchmark.pedantic(
        network.program.run, args=({name: images},), kwargs=kwargs, rounds=1
    )
    assert len(outputs) == 1


def test_isa_text(benchmark: BenchmarkFixture, network: Compiled, say: Say):
    """Reads a listing; beside it, how fast the same lines are written, and read with verification.

    The garbage collector rests, as it does in the commands.
    """
    text = network.program.ir("isa")
    lines = text.count("\n")
    gc.collect()
    gc.disable()
    try:
        module = benchmark.pedantic(
            lambda: parse_module(text, make_context(), check=False), rounds=2, warmup_rounds=1
        )
        assert print_module(module) == text
        rates = {
            "printed": lines / seconds(lambda: print_module(module), 2),
            "parsed_and_verified": lines / seconds(lambda: parse_module(text, make_context()), 1),
        }
    finally:
        gc.enable()
    if benchmark.stats is not None:
        rates["parsed"] = lines / benchmark.stats.stats.median
    for what, rate in rates.items():
        benchmark.extra_info[f"lines_{what}_per_second"] = round(rate)
    say(f"{network.name}: " + ", ".join(f"{r:,.0f} lines/s {w}" for w, r in rates.items()))


@pytest.mark.parametrize("module", ["smalti.tools.main", "smalti.tools.opt"])
def test_help(benchmark: BenchmarkFixture, module: str):
    """`--help` from the start of the process to its end."""
    words = [sys.executable, "-m", module, "--help"]
    assert b"usage" in benchmark.pedantic(subprocess.check_output, args=(words,), rounds=3)
