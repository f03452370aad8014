"""What steps read and write, and what passes may do with them; also those of plugins."""

from typing import ClassVar

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import tile
from smalti.dialects.ir.field import buffer
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.traits import MemoryEffectKind, get_effects


@irdl_op_definition
class IotaOp(tile.CoreOp):
    """Writes 0, 1, 2, … from a start that may be given, as a plugin's op could."""

    name = "mine.iota"
    start: SSAValue | None = buffer(optional=True)
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class NoEffectOp(tile.CoreOp):
    """Writes nothing."""

    name = "mine.nothing"
    x: SSAValue = buffer()


def local(*shape: int, space: str = "local") -> SSAValue:
    return tile.AllocOp(0, shape, "f32", space).output


def in_global_memory(segment: str = "scratch") -> SSAValue:
    return tile.GlobalOp("x", segment, (4,), "f32").output


def effects(op: tile.StepOp, kind: MemoryEffectKind) -> set[SSAValue]:
    found = get_effects(op)
    assert found is not None
    return {e.value for e in found if e.kind == kind and isinstance(e.value, SSAValue)}


def test_an_op_reads_its_operands_and_writes_its_destination():
    acc, table, out = local(1, 4, space="acc"), local(1, 4), local(1, 4)
    op = tile.EpilogueOp(0, acc, table, None, out, channels=4)
    assert op.buffers_read == (acc, table)
    assert effects(op, MemoryEffectKind.READ) == {acc, table}
    assert effects(op, MemoryEffectKind.WRITE) == {out} == {op.buffer_written}


def test_a_buffer_that_an_op_reads_and_writes_is_both():
    x = local(2, 4)
    op = tile.SoftmaxOp(0, x, x, columns=4)
    assert op.buffers_read == (x,) and op.buffer_written is x


@pytest.mark.parametrize("accumulate", [False, True])
def test_a_product_that_accumulates_reads_its_sums(accumulate: bool):
    x, w, acc = local(1, 2, 4), local(1, 1, 4, 4), local(1, 2, 4, space="acc")
    op = tile.MatmulOp(0, x, w, acc, depth=4, columns=4, accumulate=accumulate)
    assert op.buffers_read == ((x, w, acc) if accumulate else (x, w))


def test_what_only_prepares_a_buffer_may_run_ahead():
    there, here = in_global_memory(), local(4)
    box = {"source_strides": [1], "target_strides": [1], "sizes": [4]}
    assert tile.CopyOp(0, there, here, **box).may_run_ahead
    assert tile.FillOp(0, here, value=0.0).may_run_ahead
    assert IotaOp(0, None, here).may_run_ahead
    assert IotaOp(0, there, here).may_run_ahead
    assert not IotaOp(0, local(1), here).may_run_ahead
    assert tile.CopyOp(0, there, here, group=1, **box).may_run_ahead
    store = tile.CopyOp(0, here, there, **box)
    assert store.is_store and not store.may_run_ahead


def test_a_call_of_the_host_is_no_store():
    x, out = in_global_memory(), in_global_memory()
    call = tile.HostCallOp(0, [x], out, function="neg")
    assert not call.is_store and not call.may_run_ahead


def test_an_op_without_destination_is_refused():
    op = NoEffectOp(0, local(4))
    with pytest.raises(DiagnosticError, match=r"mine.nothing cannot stand in a tile.program"):
        _ = op.buffer_written


def test_a_program_holds_steps_and_buffers_only():
    alloc = tile.AllocOp(0, (4,), "f32")
    fill = tile.FillOp(0, alloc.output, value=0.0)
    program = tile.ProgramOp("main", [alloc, fill])
    assert program.buffers == [alloc] and program.steps == [fill]
    program.body.block.add_op(ModuleOp([]))
    with pytest.raises(DiagnosticError, match=r"builtin.module cannot stand in a tile.program"):
        _ = program.steps


def test_a_constructor_takes_the_fields_of_the_op_and_no_others():
    x = local(4)
    fill = tile.FillOp(0, x, value=1)
    assert fill.core.value.data == 0 and fill.value.value.data == 1.0 and fill.origin is None
    softmax = tile.SoftmaxOp(1, x, x, columns=4, log=True, origin="p")
    assert softmax.log is not None and softmax.origin is not None and softmax.origin.data == "p"
    assert tile.ConvertOp(0, x, x, columns=4).scale.value.data == 1.0
    with pytest.raises(TypeError, match=r"tile\.fill needs 'value'"):
        tile.FillOp(0, x)  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match=r"tile\.fill has no property 'color'"):
        tile.FillOp(0, x, value=0.0, color=1)  # pyright: ignore[reportCallIssue]
