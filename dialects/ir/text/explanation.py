"""Explains mistakes in IR: puts the messages of xDSL's parser and verifier into better words, with notes and hints.

A message that matches no row of the tables is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import IRDLOperation

from ....backends.diagnostics.diagnostic import DiagnosticError, Note, Place, did_you_mean
from ..location import ParsedLoc, place_of
from ..source_text import end_of_ir

if TYPE_CHECKING:
    from .parser import SmaltiParser

BUILTIN_TYPES = (
    "tensor", "memref", "vector", "index", "f16", "bf16", "f32", "f64", "i8", "i32", "f8E4M3FN", "f8E4M3FNUZ",
    "f8E5M2", "f8E5M2FNUZ", "f8E8M0FNU", "f6E2M3FN", "f6E3M2FN", "f4E2M1FN", "i4", "ui4", "i2", "ui2",
)  # fmt: skip
_COMMENT = re.compile(r"//[^\n]*")
_WORD = re.compile(r"[\w$.\-]+")
_VALUE = re.compile(r"%([\w$.\-]+)")


class Explanation(NamedTuple):
    """What to tell the user: a message, notes with places of their own, and a hint about what to do."""

    message: str
    notes: tuple[str | Note, ...] = ()
    hint: str | None = None


def explain_parse_error(message: str, offset: int, parser: SmaltiParser) -> DiagnosticError:
    """Return a diagnostic for what the parser says is wrong at an offset of its text, with the place and a hint."""
    text = parser.source.text
    if not _COMMENT.sub("", text).strip():
        return DiagnosticError("there is no IR in the text", Place(file=parser.source.file))
    end = end_of_ir(text)
    line_end = parser.end_before(offset) if offset < end else None
    offset = line_end or offset
    explanation = Explanation(message)
    for pattern, explain in _PARSE_ERRORS:
        match = re.fullmatch(pattern, message, re.DOTALL)
        if match is not None:
            explanation = explain(match, offset, parser)
            break
    message, notes, hint = explanation
    # If something is missing at an end, point at the last character that is there.
    if line_end is not None:
        offset = line_end - 1
        if "expected" in message:
            message = f"{message}, but the line ends here"
    elif offset >= end > 0:
        offset = end - 1
        message = f"{message}, but the text ends here"
    return DiagnosticError(message, parser.source.place(offset), notes, hint)


def explain_wrong_op(
    op: Operation, message: str, place_of: Callable[[Operation], Place]
) -> DiagnosticError:
    """Return a diagnostic for what the verifier says is wrong with an op, with its place and a hint."""
    explanation = Explanation(message)
    for pattern, explain in _WRONG_OPS:
        match = re.match(pattern, message, re.DOTALL)
        if match is not None:
            op, explanation = explain(match, op)
            break
    head = f"'{op.name}': {explanation.message}"
    return DiagnosticError(head, place_of(op), explanation.notes, explanation.hint)


def _unknown_op(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    name = match[1]
    dialect, dot, _ = name.partition(".")
    dialects = {each for each in parser.ctx.registered_dialect_names if each != "builtin"}
    if not dot:
        hint = "ops are written dialect.name, such as top.relu"
        return Explanation(f"there is no op '{name}'", hint=hint)
    if dialect not in dialects:
        hint = did_you_mean(dialect, dialects) or f"there are {', '.join(sorted(dialects))}"
        return Explanation(
            f"there is no dialect '{dialect}' for op '{name}'",
            hint=f"{hint} (--allow-unregistered-dialect lets unknown ops be)",
        )
    known = [op.name for op in parser.ctx.get_dialect(dialect).operations]
    hint = did_you_mean(name, known) or "smalti-opt --list-dialects --json names every op"
    return Explanation(f"there is no op '{name}'", hint=hint)


def _unknown_type(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    name = match[1]
    dialect = parser.ctx.get_optional_dialect(name.partition(".")[0])
    known = [each.name for each in dialect.attributes] if dialect is not None else []
    return Explanation(f"there is no type or attribute '{name}'", hint=did_you_mean(name, known))


def _undefined_value(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    near = did_you_mean(match[1], parser.ssa_values)
    hint = near.replace("mean ", "mean %").replace(" or ", " or %") if near else None
    return Explanation(match[0], hint=hint or "define it above its use, or as an argument")


def _defined_twice(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    notes = _definition(parser, match[1], "it was first defined here")
    return Explanation(
        f"value %{match[1]} is defined twice", notes, "give one of them another name"
    )


def _other_type(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    found = _VALUE.match(parser.source.text, offset)
    name = found[1] if found else ""
    message = f"value {found[0] if found else ''} is a {match[2]}, not a {match[1]}"
    notes = _definition(parser, name, "it was defined here")
    return Explanation(message, notes, "write the type that it has, or convert it")


def _definition(parser: SmaltiParser, name: str, words: str) -> tuple[Note, ...]:
    """Return a note that points at the op that defines a value; no note if no op does."""
    values = parser.ssa_values.get(name, ())
    owner = values[0].owner if values and isinstance(values[0], SSAValue) else None
    if not isinstance(owner, Operation) or not isinstance(owner.location, ParsedLoc):
        return ()
    return (Note(words, parser.place_of(owner)),)


def _no_type(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    word = _WORD.match(parser.source.text, offset)
    hint = did_you_mean(word[0], BUILTIN_TYPES) if word else None
    return Explanation(
        f"a type was expected{f', got {word[0]!r}' if word else ''}",
        hint=hint or "such as tensor<1x8xf32>, memref<8xi8>, f32, !quant.uniform<i8:f32, 0.1:0>",
    )


def _no_element_type(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    word = _WORD.match(parser.source.text, offset)
    if word is None:
        return Explanation("a size or element type was expected", hint="such as 1x8x8xf32")
    return Explanation(
        f"'{word[0]}' is no size or element type",
        hint=did_you_mean(word[0], BUILTIN_TYPES[4:]) or "such as 1x8x8xf32 or 4x!quant.uniform<…>",
    )


def _no_property(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    return Explanation(match[0], hint=did_you_mean(match[1], match[2].split(", ")))


def _alias(match: re.Match[str], offset: int, parser: SmaltiParser) -> Explanation:
    kind = "tensor<4xf32>" if match[1].startswith("!") else 'loc("name")'
    return Explanation(
        f"there is no alias '{match[1]}'",
        hint=f"define it in a line of its own: {match[1]} = {kind}",
    )


def _fixed(message: str, hint: str | None = None) -> Callable[..., Explanation]:
    """Return a function that explains with a fixed message, in which only the groups of the match are filled in."""
    return lambda match, offset, parser: Explanation(match.expand(message), hint=hint)


_PARSE_ERRORS: list[tuple[str, Callable[[re.Match[str], int, SmaltiParser], Explanation]]] = [
    (r"operation (\S+) is not registered", _unknown_op),
    (r"'(\S+)' is not registered", _unknown_type),
    (r"value %(\S+) is used but not defined", _undefined_value),
    (r"SSA value %(\S+) is already defined", _defined_twice),
    (
        r"operand is used with type (.*), but has been previously used or defined with type (.*)",
        _other_type,
    ),
    (r"type expected", _no_type),
    (r"'(\S+)' is no property of \S+ \(there are: (.*)\)", _no_property),
    (r"undefined symbol alias '(\S+)'", _alias),
    (
        r"re-declaration of alias '(\S+)'",
        _fixed(r"alias '\1' is defined twice", "keep one of them"),
    ),
    (r"Expected shape type\.", _no_element_type),
    (
        r"Expected ':' before the types",
        _fixed(
            "':' and the types were expected", "end the op with : (operand types) -> result type"
        ),
    ),
    (
        r"(?:Expected )?('[)>\]}]') ?(?:expected)?.*",
        _fixed(r"\1 was expected", "close what was opened before this"),
    ),
    (
        r"attribute expected",
        _fixed("an attribute was expected", 'such as 3 : i32, "text" or [1, 2]'),
    ),
    (r"Expected integer literal", _fixed("a whole number was expected")),
    (
        r"Could not parse entire input!",
        _fixed("an op or the end of the text was expected", "is there a brace too many?"),
    ),
    (
        r"in block definition",
        _fixed("an op or '}' was expected", "close every region with a brace"),
    ),
    (
        r"Expected suffix identifier after .*",
        _fixed("a name was expected after this", "such as %x, ^bb0 or @main"),
    ),
    (
        r"End of file reached before closing string literal\.",
        _fixed("the string is not closed", 'end it with a quotation mark: "name"'),
    ),
    (
        r"string literal expected \(the op's name\)",
        _fixed("the op's name was expected, a string", 'write it first: top.relu "name" %x : …'),
    ),
    (
        r"Operation has (\d+) results, but was given (\d+) to bind\.",
        _fixed(r"\2 names stand before an op of \1 result(s)", "name each result once"),
    ),
    (
        r"expected (\d+) operand types, got (\d+)",
        _fixed(r"\g<0>", "write one type for each operand"),
    ),
    (r"expect symbol name", _fixed("a symbol was expected", "names of functions begin with @")),
    (
        r"Expected ':' after block argument name!",
        _fixed("':' and a type were expected after the argument's name", "write %x: tensor<4xf32>"),
    ),
    (
        r"Shape mismatch in dense literal\. Expected (\[.*\]) shape from the type, but got (\[.*\]) shape\.",
        _fixed(
            r"the literal has shape \2, its type shape \1", "give as many values as the type has"
        ),
    ),
    (
        r"Expected either a float, integer, or complex literal",
        _fixed("a number was expected", "such as 1.0, -3 or 0x7F800000"),
    ),
    (
        r"invalid block name in region with named arguments",
        _fixed("the block has the name of the function's first block", "give it another name"),
    ),
    (
        r"Integer value (-?\d+) is out of range for type (\w+) .*",
        _fixed(r"\1 does not fit \2", "use a smaller number, or a wider type"),
    ),
]
"""What the parser says → the function that explains it. The first row that matches the whole message counts."""


def _unknown_property(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    known = list(op.get_irdl_definition().properties) if isinstance(op, IRDLOperation) else []
    hint = did_you_mean(match[1], known) or "other attributes stand between braces: {key = value}"
    message = f"there is no property '{match[1]}' (there are: {', '.join(known) or 'none'})"
    return op, Explanation(message, hint=hint)


def _missing_property(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    hint = f"in the generic form: <{{{match[1]} = ...}}>"
    return op, Explanation(f"property '{match[1]}' is missing", hint=hint)


def _used_early(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    owner = op.operands[int(match[1])].owner
    notes = (Note("it is defined here", place_of(owner)),) if isinstance(owner, Operation) else ()
    return op, Explanation(match.string, notes, "define it above its use")


def _symbol_twice(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    """Point at the second op that defines the symbol, rather than at the module."""
    named = [
        each
        for region in op.regions
        for block in region.blocks
        for each in block.ops
        if (name := each.properties.get("sym_name")) and name == StringAttr(match[1])
    ]
    if not isinstance(op, ModuleOp) or len(named) < 2:
        return op, Explanation(match.string)
    first, second = named[:2]
    notes = (Note("it was first defined here", place_of(first)),)
    message = f"symbol @{match[1]} is defined twice"
    return second, Explanation(message, notes, "give one of them another name")


def _no_terminator(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    return op, Explanation(
        match.string, hint="a function ends with func.return, a layer with tile.yield"
    )


def _python_object(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    return op, Explanation(
        match.string, hint="wrap it: IntegerAttr, FloatAttr, StringAttr, ArrayAttr, DictionaryAttr"
    )


def _returned(match: re.Match[str], op: Operation) -> tuple[Operation, Explanation]:
    message = f"the function gives [{match[1]}], what is returned is [{match[2]}]"
    return op, Explanation(message, hint="change the function's type, or what is returned")


_WRONG_OPS: list[
    tuple[str, Callable[[re.Match[str], Operation], tuple[Operation, Explanation]]]
] = [
    (r"property '(\w+)' is not defined by the operation", _unknown_property),
    (r"property '(\w+)' expected in operation", _missing_property),
    (r"operand (\d+) is used before it is defined", _used_early),
    (r'Redefinition of symbol "(.*)"', _symbol_twice),
    (r"the block does not end in a terminator", _no_terminator),
    (r"'.*' holds a Python object of type \w+, .*", _python_object),
    (
        r"Expected arguments to have the same types as the function output types: "
        r"expected \[(.*)\], got \[(.*)\]",
        _returned,
    ),
]
"""What the verifier says → the function that gives the op to point at, and the explanation."""
