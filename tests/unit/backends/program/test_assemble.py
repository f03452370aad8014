"""Assembling and disassembling: nothing is lost either way."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from smalti.backends import targets
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program import container
from smalti.backends.program.assemble import assemble, disassemble, disassemble_module
from smalti.backends.program.program import DebugEntry, Port
from smalti.backends.targets.target import load_target
from smalti.dialects import isa
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import (
    parse_module,
    print_module,
    read_module,
    write_module,
)
from xdsl.dialects.builtin import StringAttr

WEIGHTS = bytes(range(96))


def test_a_program_comes_back_byte_for_byte(program):
    text = disassemble(program)
    again = assemble(parse_module(text, make_context()), weights=WEIGHTS)
    # The sample was not made by the assembler: only its debug numbers may differ, and they do not.
    assert container.write(again) == container.write(program)
    assert disassemble(again) == text


@pytest.mark.parametrize("debug_info", [True, False])
@pytest.mark.parametrize("generic", [True, False])
def test_the_text_comes_back_to_the_letter(program, debug_info, generic):
    module = disassemble_module(program)
    text = print_module(module, debug_info=debug_info, generic=generic)
    read = parse_module(text, make_context())
    assert print_module(read, debug_info=debug_info, generic=generic) == text
    encoded = assemble(read, weights=WEIGHTS)
    for a, b in zip(encoded.streams, program.streams, strict=True):
        assert (a["body"] == b["body"]).all()
    decoded = print_module(disassemble_module(encoded), debug_info=debug_info, generic=generic)
    assert decoded == text


def test_without_locations_the_results_are_still_known(program):
    text = print_module(disassemble_module(program), debug_info=False)
    encoded = assemble(parse_module(text, make_context()), weights=WEIGHTS)
    assert encoded.debug == [DebugEntry(), DebugEntry("y")]


@pytest.mark.skipif(shutil.which("mlir-opt-19") is None, reason="mlir-opt-19 is not installed")
@pytest.mark.parametrize("debug_info", [True, False])
def test_mlir_reads_the_generic_form(program, debug_info):
    text = print_module(disassemble_module(program), debug_info=debug_info, generic=True)
    command = ["mlir-opt-19", "--allow-unregistered-dialect", "--mlir-print-op-generic"]
    if debug_info:
        command.append("--mlir-print-debuginfo")
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    again = assemble(parse_module(done.stdout, make_context()), weights=WEIGHTS)
    if debug_info:
        assert container.write(again) == container.write(program)
    else:
        assert again.streams[0]["body"].tobytes() == program.streams[0]["body"].tobytes()


def test_names_beyond_ascii(program):
    program.inputs = [Port("图像 é", (1, 1, 4, 4), "f32", 0)]
    program.debug[1:] = [DebugEntry("ü", ("卷积_0",)), DebugEntry("y", ("é", '\\"\0', "plain"))]
    text = disassemble(program)
    again = assemble(parse_module(text, make_context()), weights=WEIGHTS)
    assert container.write(again) == container.write(program)


def test_weights_are_written_beside_the_text(program, tmp_path):
    ctx = make_context()
    path = tmp_path / "p.isa.mlir"
    write_module(disassemble_module(program, ctx), path, ctx)
    assert (tmp_path / "p.isa.safetensors").exists()
    ctx = make_context()
    assert container.write(assemble(read_module(path, ctx), ctx)) == container.write(program)


def test_weights_that_are_not_there(program):
    module = disassemble_module(program)
    with pytest.raises(DiagnosticError, match=r"no weight 'program\.weights'"):
        assemble(module, make_context())
    with pytest.raises(DiagnosticError, match="needs 96 bytes of weights"):
        assemble(module)
    with pytest.raises(DiagnosticError, match="95 bytes of weights, their segment has 96"):
        assemble(module, weights=WEIGHTS[1:])
    ctx = make_context()
    ctx.weights.add("program.weights", np.zeros(3, np.uint8))
    with pytest.raises(DiagnosticError, match="has 3 bytes, segment 'weights' of @sample has 96"):
        assemble(module, ctx)


def test_names_become_counts_and_own_engine_names_need_none():
    text = """
      isa.program @p target("edge-1c", "HASH") counters(0)
          segments(weights = 0, input = 0, output = 0, scratch = 0) inputs() outputs() {
        isa.stream core(0) local(0) acc(0) {
          first: sync engine=matrix
          a: sync engine=vector after first
          second: sync engine=matrix after first
          b: sync engine=vector after second, first, a
        }
      }"""
    text = text.replace("HASH", load_target("edge-1c").content_hash)
    program = assemble(parse_module(text, make_context()))
    assert program.streams[0]["wait_matrix"].tolist() == [0, 1, 0, 2]
    assert program.streams[0]["wait_vector"].tolist() == [0, 0, 0, 0]
    assert "      v1: sync engine=vector after m1\n" in disassemble(program)


def test_another_target_is_told(program):
    module = disassemble_module(program)
    (op,) = module.body.block.ops
    assert isinstance(op, isa.ProgramOp)
    op.properties["target_hash"] = StringAttr("sha256:0000000000000000")
    with pytest.raises(
        DiagnosticError, match="made for a target 'default-8c' with the content hash"
    ):
        assemble(module, weights=WEIGHTS)
    op.properties["target"] = StringAttr("nothing")
    with pytest.raises(DiagnosticError, match="nothing"):
        assemble(module, weights=WEIGHTS)


def test_a_module_of_another_level_is_told():
    with pytest.raises(DiagnosticError, match=r"holds one isa\.program and nothing else"):
        assemble(parse_module("builtin.module {}", make_context()))


def test_the_target_may_be_a_file(program, tmp_path):
    shipped = Path(targets.__file__).with_name("edge-1c.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace('name = "edge-1c"', 'name = "mine"'))
    program.target = load_target(path)
    program.target_reference = str(path)
    program.streams = program.streams[:1]
    program.streams[0] = program.streams[0][2:3].copy()
    program.local_bytes, program.acc_bytes = [1024], [0]
    again = assemble(parse_module(disassemble(program), make_context()), weights=WEIGHTS)
    assert again.target == program.target
    assert again.target_reference == str(path)
