"""Reduction: a fault planted in about 200 ops comes down to a few, in IR of each level and in ONNX."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.targets.target import load_target
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.debugging import listing_reduction
from smalti.compiler.debugging.experiment import Experiment, IrExperiment
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.debugging.minimize import minimize
from smalti.compiler.debugging.predicate import (
    ChangesNumbers,
    CommandFails,
    CyclesAbove,
    Fails,
    Predicate,
)
from smalti.compiler.debugging.reduction import reduce_ir, reduce_onnx
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import verify
from smalti.dialects.isa import InstructionOp
from smalti.dialects.level import Level
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.dialects.builtin import ModuleOp

from .faulty_passes import (
    FAULTY,
    faulty_passes,
    ir_experiment,
    onnx_experiment,
    residual_network,
    tile_experiment,
)
from .global_memory import IN_GLOBAL_MEMORY

__all__ = ["faulty_passes"]


@given(st.integers(0, 60), st.sets(st.integers(0, 59), max_size=6))
def test_minimize_keeps_what_matters_and_no_more(count: int, wanted: set[int]):
    wanted = {item for item in wanted if item < count}
    trials = 0

    def test(part: list[int]) -> bool:
        nonlocal trials
        trials += 1
        return wanted <= set(part)

    assert minimize(range(count), test) == sorted(wanted)
    assert trials <= 4 * (len(wanted) + 1) * max(count, 2).bit_length() + 2 * len(wanted)


@pytest.mark.usefixtures("faulty_passes")
def test_numbers_that_a_pass_changes_come_down_to_the_op():
    experiment = ir_experiment("top-fold-shapes", "test-wrong-numbers", "cse")
    reduced = reduce_ir(experiment, ChangesNumbers())
    assert (reduced.before, reduced.after) == (198, 1)
    assert reduced.experiment.passes == ("test-wrong-numbers",)
    assert "output 'r33' differs by" in reduced.evidence
    verify(reduced.experiment.module)
    sizes = [argument.type.get_shape() for argument in _arguments(reduced.experiment)]
    assert all(max(shape) <= 2 for shape in sizes)


@pytest.mark.usefixtures("faulty_passes")
def test_ir_that_no_longer_runs_comes_down_with_its_inputs():
    experiment = tile_experiment("canonicalize", "test-hoist-stores")
    reduced = reduce_ir(experiment, ChangesNumbers())
    assert 0 < reduced.after < reduced.before
    assert reduced.experiment.passes == ("test-hoist-stores",)
    assert "that nobody wrote" in reduced.evidence
    assert reduced.inputs is not None and list(reduced.inputs) == ["x"]
    run_ir(reduced.experiment.module, reduced.experiment.ctx, reduced.inputs)


@pytest.mark.usefixtures("faulty_passes")
def test_tensors_that_cores_keep_become_inputs_where_a_program_is_cut():
    """Of two layers, the second one alone computes what it did with what it read."""
    net = start_from_model(residual_network(2), CompileOptions("edge-1c", None, "f32", None))
    net.lower_to("tile")
    whole = IrExperiment((), net.module, net.ctx)
    names = [op.tpu_name for op in tile.program_of(net.module).steps]
    part = listing_reduction.keep(whole, [n for n, name in enumerate(names) if name == "r1"])
    verify(part.module)
    segments = {
        op.buffer_name.data: op.segment.data
        for op in part.module.walk()
        if isinstance(op, tile.GlobalOp) and op.segment.data != "weights"
    }
    assert segments == {"a0": "input", "r1": "output"}
    run_ir(part.module, part.ctx, InputSource(seed=0).arrays(part.module))


def test_no_program_comes_down_to_nothing():
    """Even where a command fails on an empty one: it tells nobody anything."""
    reduced = reduce_ir(tile_experiment(), CommandFails("false"))
    assert reduced.after == 1


@pytest.mark.usefixtures("faulty_passes")
def test_reduction_keeps_to_the_fault_that_it_began_with():
    """A smaller network on which a pass stops, or does not run, has another fault."""
    predicate = ChangesNumbers().same_fault(ir_experiment("test-wrong-numbers"))
    assert predicate.holds(ir_experiment("test-refuses")) is None
    predicate = ChangesNumbers().same_fault(ir_experiment("test-refuses"))
    assert predicate.holds(ir_experiment("test-wrong-numbers")) is None
    assert predicate.holds(ir_experiment("test-refuses")) is not None


def _arguments(experiment: IrExperiment) -> Sequence:
    return experiment.module.body.block.first_op.regions[0].block.args  # pyright: ignore


@pytest.mark.usefixtures("faulty_passes")
def test_a_refusal_comes_down_to_the_ops_that_matter():
    predicate = Fails.like("op 7 cannot add 'r1'")
    reduced = reduce_ir(ir_experiment("canonicalize", "test-refuses"), predicate)
    assert reduced.after == 2
    assert reduced.evidence == "op 12 cannot add 'r33'"


@pytest.mark.usefixtures("faulty_passes")
def test_onnx_model_comes_down_and_stays_valid():
    reduced = reduce_onnx(onnx_experiment("test-refuses"), Fails("cannot add"))
    graph = reduced.experiment.model.graph
    assert [node.op_type for node in graph.node] == ["Relu", "Add"]
    assert FAULTY in {node.name for node in graph.node}
    assert {d.dim_value for i in graph.input for d in i.type.tensor_type.shape.dim} == {1}
    onnx.checker.check_model(reduced.experiment.model, full_check=True)


def test_commands_exit_code_is_a_predicate(tmp_path: Path):
    script = tmp_path / "shows.sh"
    script.write_text('#!/bin/sh\ngrep -q "top.relu \\"r33\\"" "$1" && exit 3\nexit 0\n')
    predicate = CommandFails(f"sh {script} {{}}")
    reduced = reduce_ir(ir_experiment(), predicate)
    assert reduced.after == 1 and reduced.evidence == "the command exits with 3"


def test_command_that_hangs_or_is_not_there(tmp_path: Path):
    experiment = ir_experiment()
    late = CommandFails("sh -c 'exec sleep 20'", timeout_seconds=0.2).holds(experiment)
    assert late == "the command took more than 0.2 s"
    with pytest.raises(DiagnosticError, match="cannot be run"):
        CommandFails("no-such-program-here").holds(experiment)


def test_cycles_are_a_predicate():
    small = start_from_model(residual_network(2), CompileOptions(None, None, "f32", None))
    small.lower_to("tpu")
    experiment = IrExperiment((), small.module, small.ctx)
    shown = CyclesAbove(10).holds(experiment)
    assert shown is not None and shown.endswith("cycles")
    assert CyclesAbove(10**9).holds(experiment) is None


@pytest.mark.parametrize("level", ["top", "tpu", "tile", "isa"])
def test_cycles_grow_with_the_passes_at_every_level(level: Level):
    """IR is lowered for the target that it names; top IR, without ranges as f32, for the default."""
    net = start_from_model(residual_network(2), CompileOptions("edge-1c", None, "f32", None))
    net.lower_to(level)
    alone = IrExperiment((), net.module, net.ctx)
    assert CyclesAbove(10).holds(alone) is not None
    assert CyclesAbove(None).holds(alone) is None
    if level == "top":
        for_smaller = "convert-top-to-tpu{target=edge-1c quantize=f32}"
        shown = CyclesAbove(None).holds(alone.with_passes((for_smaller,)))
        assert shown is not None and shown.endswith("without the passes")


def test_nothing_to_reduce_is_a_diagnostic():
    with pytest.raises(DiagnosticError, match="does not show on the input"):
        reduce_ir(ir_experiment("canonicalize"), ChangesNumbers())


class HoldsMatmuls(Predicate):
    """A step of one kind is there."""

    def holds(self, experiment: Experiment) -> str | None:
        try:
            module, _ = experiment.finish()
            verify(module)
        except DiagnosticError:
            return None  # It reads what a step wrote that is gone.
        for op in module.walk():
            if isinstance(op, tile.Conv2dOp):
                return op.name
            if isinstance(op, InstructionOp) and op.instruction.mnemonic == "conv2d":
                return op.instruction.mnemonic
        return None


@pytest.mark.share(3)
@pytest.mark.parametrize("level", ["tile", "isa"])
def test_listings_come_down_to_one_step(level: str):
    # What stays on chip is loaded where a program is cut, which takes steps of its own.
    options = CompileOptions(None, None, "f32", None, changes=(IN_GLOBAL_MEMORY,))
    compilation = start_from_model(residual_network(3), options)
    compilation.lower_to("isa")
    module = compilation.levels[level]  # pyright: ignore
    experiment = IrExperiment((), module, compilation.ctx)
    reduced = reduce_ir(experiment, HoldsMatmuls())
    assert reduced.before > 20 and reduced.after == 1
    assert listing_reduction.count(reduced.experiment) == 1


def test_some_receivers_of_a_multicast_are_a_program():
    """Those that are left meet without the others."""
    weights = tile.GlobalOp("w", "weights", [64], "i8", seed=3)
    box = {"source_strides": [1], "target_strides": [1], "sizes": [64]}
    buffers = [tile.AllocOp(core, [64], "i8") for core in range(3)]
    outputs = [tile.GlobalOp(f"y{core}", "output", [64], "i8") for core in range(3)]
    loads = [
        tile.CopyOp(core, weights.output, buffer.output, group=1, **box)
        for core, buffer in enumerate(buffers)
    ]
    stores = [
        tile.CopyOp(core, buffer.output, output.output, **box)
        for core, (buffer, output) in enumerate(zip(buffers, outputs, strict=True))
    ]
    module = ModuleOp([tile.ProgramOp("main", [weights, *buffers, *outputs, *loads, *stores])])
    set_target(module, "default-8c", load_target("default-8c"))
    verify(module)
    whole = IrExperiment((), module, make_context())
    expected = run_ir(module, whole.ctx, {})
    for kept in ((0, 2), (1,)):
        part = listing_reduction.keep(whole, [*kept, *(3 + core for core in kept)])
        verify(part.module)
        names = "tile-order-engines,tile-assign-addresses,convert-tile-to-isa"
        run_pipeline(part.ctx, part.module, parse_pipeline(names))
        results = run_ir(part.module, part.ctx, {})
        assert list(results) == [f"y{core}" for core in kept]
        for name, value in results.items():
            np.testing.assert_array_equal(value, expected[name])
