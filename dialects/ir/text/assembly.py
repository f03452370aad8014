"""The text of ops: one format that follows from an op's definition, for top, tpu and tile alike.

    %y = top.conv2d "conv1" %x, %w, %b strides = [2, 2] : (tensor<…>, …) -> tensor<…>
    tile.softmax core 0 %x -> %out columns = 10 : memref<…> -> memref<…>

The name or core comes first, then the operands, then the properties in the order of the definition.
Flags stand alone, properties at their default are left out, optional operands after the first are
written with their field's name (`residual %r`), and the buffer that an op writes follows an arrow.
A `dense<>` may end the text: its type is then the result's, too.
An op with a list of operands (`top.concat`) has no other operands, but for the buffer that it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any, ClassVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f64,
    i1,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, OptOperandDef, OptPropertyDef, VarOperandDef
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.printer import Printer

from ..attribute import (
    INTEGER,
    INTS,
    REAL,
    REALS,
    integer,
    ints,
    optional_dictionary,
    real,
    reals,
)
from ..verifier import LocallyVerifiedOp
from .number import parse_real_literal, real_literal

Defaults = dict[str, Attribute]
"""Values of properties that are left out of the text."""


@dataclass(frozen=True)
class TextLayout:
    """What stands where in the text of an op."""

    named: bool
    """Whether the text begins with the property `name`, a string."""
    core: str
    """Whether the text begins with `core 0`: "needed", "optional", or "" if the op has no core."""
    positional: tuple[str, ...]
    keyword: tuple[str, ...]
    destination: str | None
    optional: frozenset[str]
    properties: tuple[tuple[str, str, bool], ...]
    """For each property its name in the text, its kind, and whether it may be absent."""
    variadic: str | None
    """The operand that is a list, None if there is none; an op with a list has no other operands but a destination."""
    defaults: Defaults
    """Values of properties that are left out of the text."""


class TextOp(LocallyVerifiedOp):
    """Base of ops whose text follows from their definition."""

    DESTINATION: ClassVar[str | None] = None
    """The operand that is written, which follows an arrow."""
    HAS_BARE_TYPES: ClassVar[bool] = False
    """Whether the types of the operand and the result stand without parentheses."""

    @classmethod
    def parse(cls, parser: Parser) -> IRDLOperation:
        """Read what `print` writes."""
        layout = text_layout(cls)
        properties: dict[str, Attribute | None] = dict(layout.defaults)
        if layout.named:
            properties["name"] = StringAttr(parser.parse_str_literal(" (the op's name)"))
        if layout.core and parser.parse_optional_keyword("core"):
            properties["core"] = integer(_parse_integer(parser))
        elif layout.core == "needed":
            parser.raise_error("expected 'core'")
        operands = _parse_operands(parser, layout)
        _parse_properties(parser, layout, properties)
        attributes = parser.parse_optional_attr_dict()
        constant = _constant_at_end(parser, properties)
        if constant is not None and not operands:
            values, results = [], [constant.type]
        else:
            _parse_colon(cls, parser, layout)
            values, results = _parse_types(cls, parser, layout, operands)
        return cls.build(
            operands=values, result_types=results, properties=properties, attributes=attributes
        )

    def print(self, printer: Printer) -> None:
        """Write the op after its mnemonic."""
        layout = text_layout(type(self))
        if layout.named:
            printer.print_string(" ")
            printer.print_attribute(self.properties["name"])
        core = self.properties.get("core") if layout.core else None
        if isinstance(core, IntegerAttr):
            printer.print_string(f" core {core.value.data}")
        operands = _print_operands(self, printer, layout)
        self._print_properties(printer, layout)
        printer.print_op_attributes(self.attributes)
        _print_types(self, printer, operands, layout.destination is not None)

    def _print_properties(self, printer: Printer, layout: TextLayout) -> None:
        for name, _, _ in layout.properties:
            value = self.properties.get(name)
            if value is None or value == layout.defaults.get(name):
                continue
            printer.print_string(f" {name}")
            if not isinstance(value, UnitAttr):
                printer.print_string(" = ")
                print_value(printer, value)


def _constant_at_end(
    parser: Parser, properties: dict[str, Attribute | None]
) -> DenseIntOrFPElementsAttr | None:
    """Return the `dense<>` with whose type the text of an op ends, which is then the type of the result, too; None if
    the text goes on.
    """
    constants = [v for v in properties.values() if isinstance(v, DenseIntOrFPElementsAttr)]
    content = parser.lexer.input.content
    line = content[content.rfind("\n", 0, parser.pos) + 1 : parser.pos]
    ends = not line.strip() or content.startswith(("loc(", "}"), parser.pos)
    return constants[-1] if constants and (ends or parser.pos >= len(content)) else None


def _parse_colon(cls: type[TextOp], parser: Parser, layout: TextLayout) -> None:
    """Read the colon before the types; report a word in its place as a mistyped property."""
    if parser.parse_optional_punctuation(":") is not None:
        return
    position = parser.pos
    word = parser.parse_optional_identifier()
    if word is None:
        parser.parse_punctuation(":", " before the types")
    known = ", ".join([name for name, _, _ in layout.properties] + list(layout.keyword)) or "none"
    parser.raise_error(f"'{word}' is no property of {cls.name} (there are: {known})", position)


@cache
def text_layout(cls: type[TextOp]) -> TextLayout:
    """Return the layout of the text of an op class, which follows from the class's definition."""
    definition = cls.get_irdl_definition()
    names = [name for name, _ in definition.operands]
    optional = frozenset(name for name, d in definition.operands if isinstance(d, OptOperandDef))
    # The first optional operand can be written without its name, as only optional ones follow it.
    unnamed = [n for n in names if n in optional][:1] if cls.DESTINATION is None else []
    positional = [n for n in names if n != cls.DESTINATION and (n not in optional or n in unnamed)]
    if unnamed and positional[-1] != unnamed[0]:
        positional.remove(unnamed[0])
    keyword = [n for n in names if n != cls.DESTINATION and n not in positional]
    properties = definition.properties
    core = ""
    if "core" in properties:
        core = "optional" if isinstance(properties["core"], OptPropertyDef) else "needed"
    shown = [
        (name, _kind(cls, name, d.constr), isinstance(d, OptPropertyDef))
        for name, d in properties.items()
        if name not in ("name", "core", "operandSegmentSizes")
    ]
    return TextLayout(
        "name" in properties,
        core,
        tuple(positional),
        tuple(keyword),
        cls.DESTINATION,
        optional,
        tuple(shown),
        names[0] if _is_list(definition.operands, cls.DESTINATION) else None,
        {n: d.default_value for n, d in properties.items() if d.default_value is not None},
    )


def _is_list(operands: Sequence[tuple[str, Any]], destination: str | None) -> bool:
    """Tell whether the op takes one list of operands."""
    lists = [
        isinstance(d, VarOperandDef) and not isinstance(d, OptOperandDef)
        for name, d in operands
        if name != destination
    ]
    if any(lists) and len(lists) > 1:
        raise TypeError("there is no text for a list of operands beside other operands")
    return any(lists)


_KINDS: dict[str, Any] = {"integer": INTEGER, "integers": INTS, "real": REAL, "reals": REALS}
_CLASS_KINDS: dict[type[Attribute], str] = {
    StringAttr: "string",
    UnitAttr: "flag",
    DenseIntOrFPElementsAttr: "dense",
    DictionaryAttr: "dictionary",
}


def _kind(cls: type[TextOp], name: str, constraint: Any) -> str:
    for kind, known in _KINDS.items():
        if constraint == known:
            return kind
    for attribute, kind in _CLASS_KINDS.items():
        if getattr(constraint, "attr", None) is attribute:
            return kind
        if getattr(constraint, "base_attr", None) is attribute:
            return kind
    raise TypeError(f"{cls.name}: no text for property '{name}'")


def print_value(printer: Printer, value: Attribute) -> None:
    """Print a property's value without its type, which the op's definition knows."""
    match value:
        case IntegerAttr() if value.type == i1:
            printer.print_string("true" if value.value.data else "false")
        case IntegerAttr():
            printer.print_string(str(value.value.data))
        case DictionaryAttr():
            with printer.in_braces():
                printer.print_list(value.data.items(), lambda pair: _print_entry(printer, *pair))
        case ArrayAttr():
            with printer.in_square_brackets():
                printer.print_list(value.data, lambda each: print_value(printer, each))
        case FloatAttr():
            printer.print_string(real_literal(value.value.data))
        case DenseArrayBase():
            text = real_literal if value.elt_type == f64 else str
            numbers: Iterable[Any] = value.iter_values()  # pyright: ignore[reportAttributeAccessIssue]
            printer.print_string(f"[{', '.join(map(text, numbers))}]")
        case _:
            printer.print_attribute(value)


def value_text(value: Attribute) -> str:
    """Return what `print_value` prints."""
    stream = StringIO()
    print_value(Printer(stream), value)
    return stream.getvalue()


def _print_entry(printer: Printer, name: str, value: Attribute) -> None:
    """Print an entry of a dictionary; its value tells its type to the parser (an integer is i64, a real f64)."""
    printer.print_string(f"{name} = ")
    print_value(printer, value)


def parse_dictionary(parser: AttrParser) -> DictionaryAttr:
    """Read what `print_value` prints of a dictionary."""

    def entry() -> tuple[str, Attribute]:
        name = parser.parse_identifier(" for the name of an attribute")
        parser.parse_punctuation("=", f" after '{name}'")
        return name, parser.parse_attribute()

    position = parser.pos
    entries = parser.parse_comma_separated_list(parser.Delimiter.BRACES, entry)
    if len(dict(entries)) != len(entries):
        parser.raise_error("an attribute is given twice", position, parser.pos)
    return DictionaryAttr(dict(entries))


def _parse_integer(parser: Parser) -> int:
    return parser.parse_integer(allow_boolean=False)


def _parse_list(parser: Parser, parse_element: Callable[[Parser], Any]) -> list[Any]:
    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_element(parser))


_VALUE_PARSERS: dict[str, Callable[[Parser], Attribute]] = {
    "integer": lambda parser: integer(_parse_integer(parser)),
    "integers": lambda parser: ints(_parse_list(parser, _parse_integer)),
    "real": lambda parser: real(parse_real_literal(parser)),
    "reals": lambda parser: reals(_parse_list(parser, parse_real_literal)),
    "string": lambda parser: StringAttr(parser.parse_str_literal()),
    "dense": lambda parser: parser.parse_attribute(),
    "dictionary": parse_dictionary,
}


def _parse_operands(parser: Parser, layout: TextLayout) -> dict[str, UnresolvedOperand]:
    """Read the operands and return them by field (those of a list by number), in the order of the text."""
    found: dict[str, UnresolvedOperand] = {}
    if layout.variadic is not None:
        listed = parser.parse_comma_separated_list(
            parser.Delimiter.NONE, parser.parse_unresolved_operand
        )
        found = {str(index): operand for index, operand in enumerate(listed)}
        return _with_destination(parser, layout, found)
    for index, name in enumerate(layout.positional):
        if index and not parser.parse_optional_punctuation(","):
            if name in layout.optional:
                break
            parser.raise_error(f"expected ',' and operand '{name}'")
        if name in layout.optional and not index:
            operand = parser.parse_optional_unresolved_operand()
            if operand is None:
                break
        else:
            operand = parser.parse_unresolved_operand(f"expected operand '{name}'")
        found[name] = operand
    for name in layout.keyword:
        if parser.parse_optional_keyword(name):
            found[name] = parser.parse_unresolved_operand(f"expected operand '{name}'")
        elif name not in layout.optional:
            parser.raise_error(f"expected operand '{name}'")
    return _with_destination(parser, layout, found)


def _with_destination(
    parser: Parser, layout: TextLayout, found: dict[str, UnresolvedOperand]
) -> dict[str, UnresolvedOperand]:
    """Read the operand that is written, if there is one, and return it with the others."""
    if layout.destination is not None:
        parser.parse_punctuation("->", f" before operand '{layout.destination}'")
        found[layout.destination] = parser.parse_unresolved_operand()
    return found


def _parse_properties(
    parser: Parser, layout: TextLayout, properties: dict[str, Attribute | None]
) -> None:
    kinds = {name: kind for name, kind, _ in layout.properties}
    seen: set[str] = set()
    while (name := parser.parse_optional_keyword_in(kinds.keys())) is not None:
        if name in seen:
            parser.raise_error(f"property '{name}' is given twice")
        seen.add(name)
        if kinds[name] == "flag":
            properties[name] = UnitAttr()
            continue
        parser.parse_punctuation("=", f" after '{name}'")
        properties[name] = _VALUE_PARSERS[kinds[name]](parser)
    missing = [n for n, _, may_miss in layout.properties if not may_miss and n not in properties]
    if missing:
        parser.raise_error(f"expected property '{missing[0]}'")


def _parse_types(
    cls: type[TextOp], parser: Parser, layout: TextLayout, operands: dict[str, UnresolvedOperand]
) -> tuple[list[SSAValue | list[SSAValue] | None], list[Attribute]]:
    position = parser.pos
    types: Sequence[Attribute]
    results: list[Attribute] = []
    if cls.get_irdl_definition().results:
        if cls.HAS_BARE_TYPES:
            types = [parser.parse_type()]
            parser.parse_punctuation("->", " before the type of the result")
            results = [parser.parse_type()]
        elif operands:
            function = parser.parse_function_type()
            types, results = function.inputs.data, list(function.outputs.data)
        else:
            types, results = [], [parser.parse_type()]
    else:
        types = [parser.parse_type()]
        while parser.parse_optional_punctuation(","):
            types = [*types, parser.parse_type()]
        if layout.destination is not None and len(operands) > 1:
            parser.parse_punctuation("->", f" before the type of '{layout.destination}'")
            types = [*types, parser.parse_type()]
    if len(types) != len(operands):
        parser.raise_error(
            f"expected {len(operands)} operand types, got {len(types)}", position, parser.pos
        )
    resolved = {
        name: parser.resolve_operand(operand, type)
        for (name, operand), type in zip(operands.items(), types, strict=True)
    }
    if layout.variadic is not None:
        written = resolved.pop(layout.destination, None) if layout.destination else None
        listed = list(resolved.values())
        return [listed] if layout.destination is None else [listed, written], results
    return [resolved.get(name) for name, _ in cls.get_irdl_definition().operands], results


def _print_operands(op: TextOp, printer: Printer, layout: TextLayout) -> list[SSAValue]:
    """Print the operands and return them in the order of the text."""
    if layout.variadic is not None:
        printer.print_string(" ")
        listed = list(getattr(op, layout.variadic))
        printer.print_list(listed, printer.print_ssa_value)
        return _print_destination(op, printer, layout, listed)
    shown: list[SSAValue] = []
    for name in layout.positional:
        value = getattr(op, name)
        if value is not None:
            printer.print_string(", " if shown else " ")
            printer.print_ssa_value(value)
            shown.append(value)
    for name in layout.keyword:
        value = getattr(op, name)
        if value is not None:
            printer.print_string(f" {name} ")
            printer.print_ssa_value(value)
            shown.append(value)
    return _print_destination(op, printer, layout, shown)


def _print_destination(
    op: TextOp, printer: Printer, layout: TextLayout, shown: list[SSAValue]
) -> list[SSAValue]:
    """Print the operand that is written, if there is one, and return the operands that are printed by then."""
    if layout.destination is None:
        return shown
    value = getattr(op, layout.destination)
    printer.print_string(" -> ")
    printer.print_ssa_value(value)
    return [*shown, value]


def _print_types(op: TextOp, printer: Printer, operands: list[SSAValue], arrow: bool) -> None:
    printer.print_string(" : ")
    types = [operand.type for operand in operands]
    if op.results:
        if op.HAS_BARE_TYPES:
            printer.print_list([*types, op.results[0].type], printer.print_attribute, " -> ")
        elif types:
            printer.print_function_type(types, [result.type for result in op.results])
        else:
            printer.print_attribute(op.results[0].type)
        return
    printer.print_list(types[:-1] if arrow else types, printer.print_attribute)
    if arrow:
        if len(types) > 1:
            printer.print_string(" -> ")
        printer.print_attribute(types[-1])


def property_value(cls: type[TextOp], name: str, value: Any) -> Attribute | None:
    """Return `value` as the attribute that property `name` of the op holds; None if the property is to be left out, as
    None and False ask.

    Raises TypeError if the op has no such property.
    """
    if isinstance(value, Attribute):
        return value  # a dense attribute without elements is a value, though it counts as false
    if value is None or value is False:
        return None
    kind = next((kind for known, kind, _ in text_layout(cls).properties if known == name), None)
    match kind:
        case "integer":
            return integer(value)
        case "integers":
            return ints(value)
        case "real":
            return real(value)
        case "reals":
            return reals(value)
        case "string":
            return StringAttr(value)
        case "flag":
            return UnitAttr()
        case "dictionary":
            return optional_dictionary(value)
        case _:
            raise TypeError(f"{cls.name} has no property '{name}'")
