"""Reads and writes the metadata at the end of a file, `{-# ... #-}`, where MLIR's reproducers hold their pipeline, and
texts without a weight file their weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ....backends.diagnostics.diagnostic import DiagnosticError
from ..source_text import SourceText

REPRODUCER = "mlir_reproducer"
"""The resource that says how to reproduce a failure: `pipeline`, `verify_each`, `disable_threading`."""

Value = str | bool | int | dict[str, "Value"]

_METADATA = re.compile(r"^(?:(?!//).)*?(?P<whole>\{-#(?P<body>(?s:.*))#-\})\s*\Z", re.MULTILINE)
"""The metadata, which no comment begins: golden tests have the text of files in their comments."""
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<word>[\w.$/-]+)|(?P<mark>[{}:,]))', re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:([nt\"\\])|([0-9A-Fa-f]{2}))")
_DEEPEST = 32


class Metadata(NamedTuple):
    """A text without its metadata's external resources, and those resources."""

    text: str
    external: Mapping[str, Value]


def take_metadata(source: SourceText) -> Metadata:
    """Separate the external resources at the end of a text from its IR.

    Resources of dialects stay in the text, where xDSL's parser reads them. Raises DiagnosticError if the metadata
    cannot be parsed.
    """
    match = _METADATA.search(source.text) if "{-#" in source.text else None
    if match is None:
        return Metadata(source.text, {})
    reader = _Reader(source, match.start("body"), match.end("body"))
    sections = reader.entries(end="")
    external = sections.get("external_resources", {})
    if not isinstance(external, dict):
        raise DiagnosticError(
            "external_resources are not between braces", source.place(match.start("whole"))
        )
    if "dialect_resources" in sections:
        if external:
            raise DiagnosticError(
                "a file with both dialect_resources and external_resources cannot be read",
                source.place(match.start("whole")),
                hint="keep one of them",
            )
        return Metadata(source.text, {})
    return Metadata(source.text[: match.start("whole")], external)


def metadata_text(pipeline: str, *, verify_each: bool) -> str:
    """Return the metadata of a reproducer, as MLIR writes it."""
    escaped = pipeline.replace("\\", "\\\\").replace('"', '\\"')
    entries = {
        "pipeline": f'"{escaped}"',
        "disable_threading": "true",
        "verify_each": str(verify_each).lower(),
    }
    return resource_text(REPRODUCER, entries)


def resource_text(name: str, entries: Mapping[str, str]) -> str:
    """Return the metadata of a file with one external resource, whose entries' values are given as text."""
    lines = ",\n".join(f"      {key}: {value}" for key, value in entries.items())
    return f"\n{{-#\n  external_resources: {{\n    {name}: {{\n{lines}\n    }}\n  }}\n#-}}\n"


class _Reader:
    """Reads `key: value, ...`, values being strings, words, and entries in braces."""

    def __init__(self, source: SourceText, start: int, end: int) -> None:
        self.source, self.position, self.end = source, start, end
        self.depth = 0

    def entries(self, end: str) -> dict[str, Value]:
        """Read entries up to the mark `end` and past it; up to the end of the metadata if `end` is ""."""
        found: dict[str, Value] = {}
        while True:
            kind, text = self._next()
            if text == end and kind in ("mark", "end"):
                return found
            if kind not in ("word", "string"):
                self._fail("a key")
            if self._next()[1] != ":":
                self._fail("':'")
            found[_unquoted(text)] = self._value()
            before = self.position
            kind, text = self._next()
            if text != ",":
                self.position = before
                if (kind, text) != (("mark", end) if end else ("end", "")):
                    self._fail("',' or the end")

    def _value(self) -> Value:
        kind, text = self._next()
        if text == "{" and kind == "mark":
            self.depth += 1
            if self.depth > _DEEPEST:
                self._fail("no more braces")
            found = self.entries("}")
            self.depth -= 1
            return found
        if kind == "string":
            return _unquoted(text)
        if kind != "word":
            self._fail("a value")
        if text in ("true", "false"):
            return text == "true"
        return int(text) if text.isdecimal() and len(text) < 20 else text

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self.source.text, self.position, self.end)
        if match is None:
            if self.source.text[self.position : self.end].strip():
                self._fail("a key or value")
            return "end", ""
        self.position = match.end()
        assert match.lastgroup is not None
        return match.lastgroup, match[match.lastgroup]

    def _fail(self, expected: str) -> None:
        raise DiagnosticError(
            f"the metadata of the file do not parse: {expected} was expected",
            self.source.place(min(self.position, self.end - 1)),
        )


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text

    def character(match: re.Match[str]) -> str:
        plain = {"n": "\n", "t": "\t"}
        return plain.get(match[1], match[1]) if match[1] else chr(int(match[2], 16))

    return _ESCAPE.sub(character, text[1:-1])
