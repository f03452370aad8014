"""Views: what they are parts of, who may use them, and what stays of them."""

from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import integer
from smalti.dialects.ir.text.module_text import verify
from smalti.dialects.ir.verifier import Verifier
from smalti.dialects.tile.buffer import erase_unused_views
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.traits import EffectInstance, MemoryEffectKind, get_effects
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination


def program(*ops: Operation) -> ModuleOp:
    return ModuleOp([tile.ProgramOp("main", ops)])


def slab(core: int = 0) -> tile.AllocOp:
    return tile.AllocOp(core, (1, 8, 4, 16), "i8")


def test_a_view_is_a_part_of_its_buffer():
    whole = slab(core=2)
    part = tile.ViewOp(whole.output, (1, 2, 4, 16), offset=128)
    verify(program(whole, part))
    assert str(part.output.type) == 'memref<1x2x4x16xi8, "local">'
    assert tile.viewed(part.output) == (whole, 128)
    assert tile.viewed(whole.output) == (whole, 0)
    assert tile.buffer_of(part.output) is tile.buffer_of(whole.output) is whole.output
    assert tile.core_of(part.output) == 2


def test_a_buffer_in_global_memory_has_no_core():
    assert tile.core_of(tile.GlobalOp("x", "input", (4,), "f32").output) is None


def test_views_are_neither_steps_nor_buffers():
    whole = slab()
    part = tile.ViewOp(whole.output, (64,))
    fill = tile.FillOp(0, part.output, value=0.0)
    own = tile.program_of(program(whole, part, fill))
    assert own.steps == [fill] and own.buffers == [whole]


def test_an_op_that_uses_a_view_has_effects_on_the_buffer():
    whole = slab()
    part = tile.ViewOp(whole.output, (64,))
    step = tile.SoftmaxOp(0, part.output, part.output, columns=64)
    assert get_effects(step) == {
        EffectInstance(MemoryEffectKind.READ, whole.output),
        EffectInstance(MemoryEffectKind.WRITE, whole.output),
    }


def test_a_copy_from_a_view_of_another_core_is_a_load():
    there, here = slab(core=1), slab(core=0)
    source = tile.ViewOp(there.output, (64,))
    box = {"sizes": [64], "source_strides": [1], "target_strides": [1]}
    load = tile.CopyOp(0, source.output, here.output, **box)
    store = tile.CopyOp(1, source.output, here.output, **box)
    verify(program(there, here, source, load, store))
    assert load.is_load and not store.is_load


def test_equal_views_are_merged_and_unused_ones_go():
    whole = slab()
    views = [tile.ViewOp(whole.output, (64,), offset=offset) for offset in (64, 64, 0)]
    fills = [tile.FillOp(0, view.output, value=1.0) for view in views[:2]]
    module = program(whole, *views, *fills)
    CommonSubexpressionElimination().apply(make_context(), module)
    CanonicalizePass().apply(make_context(), module)
    names = [op.name for op in module.walk()][2:]
    assert names == ["tile.alloc", "tile.view", "tile.fill", "tile.fill"]


def test_unused_views_are_erased():
    whole = slab()
    used, unused = (tile.ViewOp(whole.output, (64,), offset=offset) for offset in (0, 64))
    fill = tile.FillOp(0, used.output, value=1.0)
    own = tile.program_of(program(whole, used, unused, fill))
    erase_unused_views(own.body.block)
    assert list(own.body.block.ops) == [whole, used, fill]


def test_users_of_a_view_are_verified_again_if_its_buffer_moves_to_another_core():
    whole = slab()
    part = tile.ViewOp(whole.output, (64,))
    module, verifier = program(whole, part, tile.FillOp(0, part.output, value=1.0)), Verifier()
    assert verifier.first_error(module) is None
    whole.properties["core"] = integer(1)
    wrong = verifier.first_error(module)
    assert wrong is not None and "core 1 is used on core 0" in wrong[1]
