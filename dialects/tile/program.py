"""The program op: its buffers, and the steps that use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Self, TypeGuard

from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.ir import Block, Operation, Region
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface

from ...backends.diagnostics.diagnostic import DiagnosticError
from ..ir.location import place_of
from ..ir.text.assembly import TextOp
from ..ir.verifier import WrongOpInside
from .buffer import BufferOp, ViewOp
from .layer import GroupOp, LayerOp
from .movement import find_group_fault
from .step_op import StepOp
from .written_elements import find_fault


@irdl_op_definition
class ProgramOp(TextOp):
    """A program: one block of buffers, views, layers, groups of layers, copies and computations in program order,
    without a terminator.

    `ordered`, written after the name, says that the order of the steps is as it should be: no pass changes it. The pass
    that orders the engines' work sets it, and so may a person.

    tile.program @main {
      %x = tile.alloc core 0 : memref<16xi8, "local">
      tile.fill core 0 -> %x value = 0.0 : memref<16xi8, "local">
    }
    """

    name = "tile.program"
    sym_name = prop_def(StringAttr)
    ordered = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), IsolatedFromAbove(), SymbolOpInterface())

    def __init__(
        self, name: str, ops: Sequence[Operation] = (), *, location: LocationAttr | None = None
    ):
        """Make a program of the given ops."""
        super().__init__(properties={"sym_name": StringAttr(name)}, regions=[Region(Block(ops))])
        if location is not None:
            self.location = location

    @property
    def is_ordered(self) -> bool:
        """Whether no pass may change the order of the steps; set it to say so."""
        return self.ordered is not None

    @is_ordered.setter
    def is_ordered(self, value: bool) -> None:
        self.ordered = UnitAttr() if value else None

    @property
    def buffers(self) -> list[BufferOp]:
        """The ops that declare buffers."""
        return [op for op in self.body.block.ops if _is_buffer(op)]

    @property
    def steps(self) -> list[StepOp]:
        """The ops that do something, in program order, with the layers of groups.

        Raises DiagnosticError if the program holds an op that is neither a step nor a group of layers, nor the
        declaration of a buffer, nor a view.
        """
        steps: list[StepOp] = []
        for op in self._ungrouped():
            if _is_step(op):
                steps.append(op)
            elif not (_is_buffer(op) or type(op) is ViewOp):
                raise DiagnosticError(f"{op.name} cannot stand in a tile.program", place_of(op))
        return steps

    @property
    def groups(self) -> list[GroupOp]:
        """The groups of layers."""
        return [op for op in self.body.block.ops if type(op) is GroupOp]

    @property
    def layers(self) -> list[LayerOp]:
        """The layers in program order, with those of groups."""
        return [op for op in self._ungrouped() if type(op) is LayerOp]

    def _ungrouped(self) -> Iterator[Operation]:
        """Return the ops in program order, with those that groups hold in place of the groups."""
        for op in self.body.block.ops:
            if type(op) is GroupOp:
                yield from op.body.block.ops
            else:
                yield op

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name()
        ordered = UnitAttr() if parser.parse_optional_keyword("ordered") else None
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        return cls.build(
            properties={"sym_name": name, "ordered": ordered},
            attributes={} if attributes is None else dict(attributes.data),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        """Write `@main { … }`, or `@main ordered { … }`."""
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        if self.is_ordered:
            printer.print_string(" ordered")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)

    def verify_(self) -> None:
        """Raise VerifyException if a step reads elements in global memory that no step has written, if two layers write
        the same ones, if outputs have holes, or if copies cannot be in their multicast group.
        """
        steps = [op for op in self._ungrouped() if _is_step(op)]
        fault = find_group_fault(steps) or find_fault(steps, self.buffers)
        if fault is not None:
            raise WrongOpInside(*fault)


@cache
def _extends(derived: type[Operation], base: type[Operation]) -> bool:
    """Tell whether a class of ops is derived from another: remembered, this takes a quarter of `isinstance`, which asks
    the metaclass of ops.
    """
    return issubclass(derived, base)


def _is_step(op: Operation) -> TypeGuard[StepOp]:
    return _extends(type(op), StepOp)


def _is_buffer(op: Operation) -> TypeGuard[BufferOp]:
    return _extends(type(op), BufferOp)


def program_of(module: ModuleOp) -> ProgramOp:
    """Return the tile.program of a module. Raises DiagnosticError if there is not exactly one."""
    programs = [op for op in module.ops if isinstance(op, ProgramOp)]
    if len(programs) != 1:
        raise DiagnosticError(
            f"the module has {len(programs)} tile.program ops, expected one",
            place_of(programs[1] if programs else module),
            hint="lower a module of tpu ops with convert-tpu-to-tile",
        )
    return programs[0]
