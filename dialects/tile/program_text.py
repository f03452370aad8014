"""The text of the two tile ops with regions: programs and layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import IntegerAttr, MemRefType
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

from ..ir.attribute import integer, ints
from ..ir.text.assembly import print_value

if TYPE_CHECKING:
    from . import LayerOp, ProgramOp


def print_program(op: ProgramOp, printer: Printer) -> None:
    """`@main { … }`."""
    printer.print_string(" ")
    printer.print_symbol_name(op.sym_name.data)
    printer.print_op_attributes(op.attributes, print_keyword=True)
    printer.print_string(" ")
    printer.print_region(op.body, print_empty_block=False)


def parse_program(cls: type[ProgramOp], parser: Parser) -> ProgramOp:
    """Reads what `print_program` writes."""
    name = parser.parse_symbol_name()
    attributes = parser.parse_optional_attr_dict_with_keyword()
    region = parser.parse_region()
    if not region.blocks:
        region.add_block(Block())
    return cls.build(
        properties={"sym_name": name},
        attributes={} if attributes is None else dict(attributes.data),
        regions=[region],
    )


def print_layer(op: LayerOp, printer: Printer) -> None:
    """`core 0 (%a = %x : memref<…> as tensor<…>, …) -> %y : memref<…> window = […] { … }`."""
    core = op.core
    if isinstance(core, IntegerAttr):
        printer.print_string(f" core {core.value.data}")
    printer.print_string(" ")
    with printer.in_parens():
        pairs = list(zip(op.body.block.args, op.inputs, strict=False))
        printer.print_list(pairs, lambda pair: _print_input(printer, *pair))
    printer.print_string(" -> ")
    printer.print_ssa_value(op.output)
    printer.print_string(" : ")
    printer.print_attribute(op.output.type)
    printer.print_string(" window = ")
    print_value(printer, op.window)
    printer.print_op_attributes(op.attributes, print_keyword=True)
    printer.print_string(" ")
    printer.print_region(op.body, print_entry_block_args=False, print_empty_block=False)


def _print_input(printer: Printer, argument: SSAValue, buffer: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(buffer)
    printer.print_string(" : ")
    printer.print_attribute(buffer.type)
    printer.print_string(" as ")
    printer.print_attribute(argument.type)


def parse_layer(cls: type[LayerOp], parser: Parser) -> LayerOp:
    """Reads what `print_layer` writes."""
    core = None
    if parser.parse_optional_keyword("core"):
        core = integer(parser.parse_integer(allow_boolean=False))

    def parse_input() -> tuple[Parser.UnresolvedArgument, SSAValue, Attribute]:
        argument = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=", " before the layer's input")
        operand = parser.parse_unresolved_operand()
        parser.parse_punctuation(":", " before the buffer's type")
        value = parser.resolve_operand(operand, parser.parse_type())
        parser.parse_keyword("as", " before the tensor's type")
        return argument, value, parser.parse_type()

    inputs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parse_input)
    parser.parse_punctuation("->", " before the layer's output")
    output = parser.parse_unresolved_operand()
    parser.parse_punctuation(":", " before the output's type")
    position = parser.pos
    type = parser.parse_type()
    if not isinstance(type, MemRefType):
        parser.raise_error("expected a memref", position, parser.pos)
    written = parser.resolve_operand(output, type)
    parser.parse_keyword("window")
    parser.parse_punctuation("=")
    window = parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
    )
    attributes = parser.parse_optional_attr_dict_with_keyword()
    region: Region = parser.parse_region([argument.resolve(t) for argument, _, t in inputs])
    return cls.build(
        operands=[[value for _, value, _ in inputs], written],
        properties={"core": core, "window": ints(window)},
        attributes={} if attributes is None else dict(attributes.data),
        regions=[region],
    )
