"""Operands and results read by position are those that xDSL's accessors give."""

from __future__ import annotations

import pytest
from smalti.dialects import tile, top, tpu
from xdsl.ir import Dialect, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.irdl.operations import get_accessors_from_op_def

from tests.unit.tile_programs import two_layers


@pytest.mark.parametrize("dialect", [top.Top, tpu.Tpu, tile.Tile], ids=lambda each: each.name)
def test_fields_at_a_known_position_are_read_directly(dialect: Dialect):
    for op in dialect.operations:
        assert issubclass(op, IRDLOperation)
        for name, accessor in get_accessors_from_op_def(op.get_irdl_definition(), None).items():
            if type(accessor).__name__ == "BeforeVariadicSingleAccessor":
                own = vars(op)[name]
                assert isinstance(own, property) or own.construct.name in ("REGION", "SUCCESSOR")


def test_what_is_read_is_what_xdsl_reads():
    module, _ = two_layers(cores=2, tiles=2)
    seen = 0
    for op in tile.program_of(module).body.block.ops:
        for name, value in _read_by_xdsl(op):
            assert getattr(op, name) is value
            seen += 1
    assert seen > 20


def _read_by_xdsl(op: Operation) -> list[tuple[str, SSAValue]]:
    assert isinstance(op, IRDLOperation)
    accessors = get_accessors_from_op_def(op.get_irdl_definition(), None).items()
    read = [(n, a.__get__(op)) for n, a in accessors if hasattr(a, "construct")]
    return [(name, value) for name, value in read if isinstance(value, SSAValue)]
