"""Reads a line in the full grammar of its instruction, which lark makes from the table of instructions, and explains
mistakes.

Unlike the fast reader of `line.py` it allows any spacing, fields in any order, numbers in decimal or hexadecimal, and
comments. A mistake is reported with its column and with what was expected there. The module is imported only when a
line needs it, because lark takes long to load.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ...backends.instructions.field_range import code_names, field_error, named_code
from ...backends.instructions.instruction_set import BY_MNEMONIC, ENGINES, Field, Instruction
from .line import NAME, Line, unquoted

_STRING = r"\"(?:[^\"\\\n]|\\.)*\""
_PLAIN = rf"[^\"()\n]|{_STRING}"
# Locations nest: two levels of parentheses inside are enough for call sites of named locations.
_LOCATION = rf"loc\s*\((?:{_PLAIN}|\((?:{_PLAIN}|\((?:{_PLAIN})*\))*\))*\)"
_COMMON = rf"""
start: INSTRUCTION_NAME ":" MNEMONIC (field ("," field)*)? after? wait? signal? origin? LOCATION?
after: "after" INSTRUCTION_NAME ("," INSTRUCTION_NAME)*
wait: "wait" COUNTER ">=" NUMBER
signal: "signal" COUNTER "@" "{{" NUMBER ("," NUMBER)* "}}"
origin: "for" STRING
INSTRUCTION_NAME: /{NAME}/
COUNTER: /c[0-9]{{1,9}}(?!\w)/
NUMBER: /[0-9]{{1,10}}(?!\w)/
INTEGER: /-?(0x[0-9a-fA-F]{{1,16}}|[0-9]{{1,20}})(?!\w)/
REAL: /[-+]?(inf|[0-9]{{1,40}}(\.[0-9]{{0,40}})?([eE][-+]?[0-9]{{1,4}})?)(?!\w)/
STRING: /{_STRING}/
LOCATION: /{_LOCATION}/
COMMENT: /\/\/.*/
BLANK: /[ \t\r\f]+/
%ignore COMMENT
%ignore BLANK
"""
_DESCRIPTIONS = {
    "INSTRUCTION_NAME": "an instruction's name",
    "COUNTER": "a counter (c0, c1, …)",
    "NUMBER": "a number",
    "INTEGER": "an integer",
    "REAL": "a number",
    "STRING": "a string",
    "LOCATION": "loc(…)",
    "COLON": "':'",
    "COMMA": "','",
    "EQUAL": "'='",
    "AT": "'@'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "AFTER": "after",
    "WAIT": "wait",
    "SIGNAL": "signal",
    "FOR": "for",
    "$END": "the end of the line",
}


class LineError(Exception):
    """A mistake in a line; `start` and `end` are offsets in its text."""

    def __init__(self, message: str, start: int, end: int | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.end = message, start, end if end is not None else start + 1


def grammar_of(instruction: type[Instruction]) -> str:
    """Return the lark grammar of the lines of an instruction class."""
    rules: list[str] = []
    names = [field.name for field in instruction.fields]
    fields = {field.name: field for field in instruction.fields}
    if instruction.engine is None:
        names.insert(0, "engine")
        fields["engine"] = Field("engine", "<u1", "enum", "engine", None, ENGINES)
    terminals = [f"MNEMONIC: /{instruction.mnemonic}(?!\\w)/"]
    for name in names:
        field = fields[name]
        value = {"real": "REAL"}.get(field.kind, "INTEGER")
        if field.kind in ("storage", "enum"):
            value = f"VALUE_{name.upper()}"
            terminals.append(f"{value}: /({'|'.join(code_names(field))})(?!\\w)/")
        terminals.append(f"FIELD_{name.upper()}: /{name}(?!\\w)/")
        rules.append(f'FIELD_{name.upper()} "=" {value}')
    # An instruction without fields gets a rule that matches nothing, so that all grammars have the
    # same rules.
    body = "\n    | ".join(rules)
    return f"{_COMMON}\nfield: {body}\n" + "\n".join(terminals)


@cache
def _parser(instruction: type[Instruction]) -> Lark:
    return Lark(grammar_of(instruction), parser="lalr", lexer="contextual")


def read_line(text: str) -> Line | None:
    """Return what a line says; None if it is blank or only a comment. Raises LineError if it has a mistake."""
    head = re.match(rf"\s*(?:({NAME})\s*(:)?\s*({NAME})?)?", text)
    assert head is not None
    rest = text[head.end() :].strip()
    if head[1] is None:
        if not rest or rest.startswith("//"):
            return None
        raise LineError("expected an instruction: NAME: MNEMONIC FIELD=VALUE, …", head.end())
    if head[2] is None:
        raise LineError("expected ':' after the instruction's name", head.end(1))
    instruction = BY_MNEMONIC.get(head[3] or "")
    if instruction is None:
        what = f"there is no instruction '{head[3]}'" if head[3] else "expected an instruction"
        close = difflib.get_close_matches(head[3] or "", BY_MNEMONIC, 1)
        guess = f"; did you mean '{close[0]}'?" if close else ""
        start = head.start(3) if head[3] else head.end()
        raise LineError(f"{what} (known: {', '.join(BY_MNEMONIC)}){guess}", start, head.end())
    try:
        tree = _parser(instruction).parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error, instruction) from None
    return _line(instruction, tree)


def _explained(text: str, error: UnexpectedInput, instruction: type[Instruction]) -> LineError:
    """Return a mistake of syntax in words: what stands there, and what was expected."""
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
    elif isinstance(error, UnexpectedCharacters):
        expected = set(error.allowed or ())
    expected -= {"COMMENT", "BLANK"}
    start = error.pos_in_stream
    if (
        start is None
        or start < 0
        or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    ):
        start = len(text.rstrip())
    found = re.match(r"[\w.]+|\S", text[start:])
    end = start + len(found[0]) if found else start
    words = [_described(name, instruction) for name in sorted(expected)]
    message = f"unexpected {found[0]!r}" if found else "the line ends too early"
    message += (
        f", expected {' or '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)}"
    )
    fields = [name[6:].lower() for name in expected if name.startswith("FIELD_")]
    close = difflib.get_close_matches(found[0], fields, 1) if found else []
    if close:
        message += f"; did you mean '{close[0]}'?"
    return LineError(message, start, end)


def _described(terminal: str, instruction: type[Instruction]) -> str:
    if terminal.startswith("FIELD_"):
        return f"{terminal[6:].lower()}="
    if terminal.startswith("VALUE_"):
        name = terminal[6:].lower()
        if name == "engine":
            return ", ".join(ENGINES)
        field = next(field for field in instruction.fields if field.name == name)
        return ", ".join(code_names(field))
    if terminal == "MNEMONIC":
        return instruction.mnemonic
    return _DESCRIPTIONS.get(terminal, terminal)


def _line(instruction: type[Instruction], tree: Tree[Token]) -> Line:
    """Return the line that a syntax tree describes. Raises LineError if a field is missing, given twice or out of
    range.
    """
    name, mnemonic = tree.children[0], tree.children[1]
    assert isinstance(name, Token) and isinstance(mnemonic, Token)
    given: dict[str, Token] = {}
    parts: dict[str, list[Token]] = {}
    location = None
    for child in tree.children[2:]:
        if isinstance(child, Token):
            location = str(child)
        elif child.data == "field":
            key, value = _tokens(child)
            if key in given:
                raise LineError(f"field '{key}' is there twice", *_span(key))
            given[str(key)] = value
        else:
            parts[child.data] = _tokens(child)
    values: dict[str, Any] = {
        field.name: _value(field, given.get(field.name), mnemonic) for field in instruction.fields
    }
    engine = given.get("engine")
    if instruction.engine is None and engine is None:
        raise LineError(f"engine= is missing ({', '.join(ENGINES)})", *_span(mnemonic))
    wait = parts.get("wait")
    signal = parts.get("signal")
    return Line(
        str(name),
        instruction,
        tuple(values[field.name] for field in instruction.fields if field.kind != "real"),
        tuple(values[field.name] for field in instruction.fields if field.kind == "real"),
        str(engine) if engine else None,
        tuple(str(token) for token in parts.get("after", ())),
        (int(wait[0][1:]), int(wait[1])) if wait else None,
        (int(signal[0][1:]), *(int(core) for core in signal[1:])) if signal else None,
        _string(parts["origin"][0]) if "origin" in parts else None,
        location,
    )


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _value(field: Field, token: Token | None, mnemonic: Token) -> int | float:
    if token is None:
        if field.default is None:
            raise LineError(f"{field.name}= is missing ({field.unit})", *_span(mnemonic))
        return float(field.default) if field.kind == "real" else int(field.default)
    if field.kind == "real":
        value: int | float = float(token)
    elif field.kind in ("storage", "enum"):
        value = named_code(field, str(token))
    else:
        digits = token.lstrip("-")
        value = int(digits, 16 if digits.startswith("0x") else 10) * (-1 if token[0] == "-" else 1)
    problem = field_error(field, value)
    if problem:
        raise LineError(problem, *_span(token))
    return value


def _string(token: Token) -> str:
    try:
        return unquoted(token)
    except ValueError:
        raise LineError("the string is not UTF-8", *_span(token)) from None


def _span(token: Token) -> tuple[int, int]:
    assert token.start_pos is not None and token.end_pos is not None
    return token.start_pos, token.end_pos
