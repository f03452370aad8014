"""What no step has written of a core's buffer is not read: the conversion to isa refuses it, by the byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.access import local
from smalti.backends.instructions.pointwise import Unary
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import integer, ints, values_of
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile_to_isa.convert_tile_to_isa import ConvertTileToIsa
from smalti.passes.tile_to_isa.unwritten_reads import check_written_before_read

from tests.unit.passes.tile.test_assign_addresses import module_of
from tests.unit.tile_programs import images, two_layers

ROWS, PITCH = 4, 8


def declarations(storage="i8", buffers=3):
    """A network's input, its output, and buffers of core 0 and of core 1, of ROWS rows each."""
    x = tile.GlobalOp("x", "input", [ROWS, PITCH], storage)
    y = tile.GlobalOp("y", "output", [ROWS, PITCH], storage)
    return x, y, [tile.AllocOp(k % 2, [ROWS, PITCH], storage) for k in range(buffers)]


def copy(core, source, target, first=0, sizes=(ROWS, PITCH), pad=0):
    """A copy of the first columns of rows of PITCH elements, from element `first` on."""
    box = {
        "source_strides": [PITCH, 1],
        "target_strides": [PITCH, 1],
        "source_offset": first,
        "target_offset": first,
    }
    return tile.CopyOp(core, source.output, target.output, sizes=sizes, pad=pad or None, **box)


def convert(source, target, columns):
    """A computation on the first columns of every row."""
    core = source.core.value.data
    return tile.ConvertOp(
        core, source.output, target.output, columns=columns, multiplier=1 << 30, shift=30
    )


@st.composite
def random_programs(draw):
    """Copies of boxes, fills and conversions in any order, which may read what nobody wrote."""
    x, y, local = declarations()
    steps = []
    for _ in range(draw(st.integers(1, 16))):
        own = draw(st.sampled_from(local))
        core = own.core.value.data
        other = draw(st.sampled_from([x, x, *local]))
        if other is own:
            steps.append(tile.FillOp(core, own.output, value=1.0))
        elif other is not x and other.core == own.core and draw(st.booleans()):
            steps.append(convert(other, own, draw(st.integers(1, PITCH))))
        else:
            row, rows = draw(st.integers(0, ROWS - 1)), draw(st.integers(1, ROWS))
            column = draw(st.integers(0, PITCH - 1))
            columns = draw(st.integers(1, PITCH - column))
            pad = draw(st.integers(0, PITCH - column - columns))
            sizes = [min(rows, ROWS - row), columns]
            steps.append(copy(core, other, own, row * PITCH + column, sizes, pad))
    last = local[0]
    return module_of(x, y, *local, *steps, copy(0, last, y))


@pytest.mark.share(3)
@settings(max_examples=300)
@given(random_programs())
def test_what_is_refused_is_what_the_tile_interpreter_cannot_run(module):
    verify(module)
    try:
        run_tile(module, make_context().weights, {"x": images()[:1, 0, :2].reshape(ROWS, PITCH)})
    except DiagnosticError as error:
        assert "nobody wrote" in str(error)
        with pytest.raises(DiagnosticError, match=r"which (no|a) step"):
            check_written_before_read(tile.program_of(module).steps)
    else:
        check_written_before_read(tile.program_of(module).steps)


def test_every_load_that_is_cut_short_is_found():
    """Each copy into a buffer of a core brings one element less, in turn."""
    numbers = range(len(loads_of(two_layers()[0])))
    assert len(numbers) > 8
    for number in numbers:
        module, ctx = two_layers()
        AssignAddresses().run(ctx, module)
        load = loads_of(module)[number]
        (count,) = values_of(load.sizes)
        load.sizes = ints([count - 1])
        size = load.target.owner.size_bytes // count
        with pytest.raises(DiagnosticError, match=rf"no step above writes \({size} bytes?\)"):
            ConvertTileToIsa().run(ctx, module)


def loads_of(module):
    """The copies into buffers of cores."""
    copies = [op for op in module.walk() if isinstance(op, tile.CopyOp)]
    return [op for op in copies if isinstance(op.target.owner, tile.AllocOp)]


@pytest.mark.parametrize("storage", ["i8", "f32"])
def test_lanes_that_an_instruction_passes_over_may_be_unwritten(storage):
    x, y, (a, _, b) = declarations(storage)
    activation = tile.UnaryOp(0, a.output, b.output, kind="abs", columns=5)
    steps = [copy(0, x, a, sizes=[ROWS, 5]), activation, copy(0, b, y)]
    check_written_before_read(steps)
    activation.columns = integer(6)
    with pytest.raises(DiagnosticError) as refused:
        check_written_before_read(steps)
    assert "tile.unary: reads window [0, 4, 5, 6] of a buffer of type memref<4x8x" in str(
        refused.value
    )


def test_parts_that_several_cores_write_make_up_a_buffer():
    x, y, (a, b, _) = declarations()
    steps = [
        copy(0, x, a, sizes=[2, PITCH]),
        copy(1, x, b),
        copy(1, b, a, first=2 * PITCH, sizes=[2, PITCH]),
        copy(0, a, y),
    ]
    check_written_before_read(steps)
    with pytest.raises(DiagnosticError, match=r"window \[2, 4, 0, 8\] .*\(16 bytes\)"):
        check_written_before_read([*steps[:2], steps[3]])


def test_an_instruction_that_reads_beyond_its_operand_is_named(monkeypatch):
    """As one of a plugin may, whose `accesses` are wrong."""
    x, _, (a, _, b) = declarations()
    steps = [
        copy(0, x, a, sizes=[ROWS, 5]),
        tile.UnaryOp(0, a.output, b.output, kind="abs", columns=5),
    ]
    whole = local(1 << 40, ROWS * PITCH + 1)
    monkeypatch.setattr(Unary, "accesses", staticmethod(lambda f: (whole,)))
    with pytest.raises(DiagnosticError, match=r"'unary' reads bytes 0 to 32 of .*, which has 32"):
        check_written_before_read(steps)
