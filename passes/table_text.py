"""Reads texts of rows, such as calibration tables, by a lark grammar, and tells mistakes with line and column.

lark is imported only when a table is read, because it takes long to load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends.diagnostics.diagnostic import DiagnosticError, Place
from ..backends.diagnostics.files import read_bytes

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

# A name is whatever stands first in a line: the lexer looks for one only there, so that a name may look like a number.
TERMINALS = r"""
NAME: /"(?:[^"\\\n]|\\[^\n])*"|[^\s"#]\S*/
COMMENT: /#[^\n]*/
_LINE: /\r?\n/
BLANK: /[ \t\f]+/
%ignore COMMENT
%ignore BLANK
"""
"""What grammars of tables share: names, which are in quotation marks, as JSON has them, unless they are one plain word;
comments, from # on; and the ends of lines.
"""
TABLE_LIMIT_BYTES = 256 << 20
"""The greatest size of a table: 256 MiB."""
_LONGEST_NAME = 4096
"""The most characters of a name, which messages show whole."""
SHOWN = 40
"""The most characters of a wrong word that a message shows."""
_PLAIN_NAME = re.compile(r'[^\s"#]\S*')
_DESCRIPTIONS = {"NAME": "a name", "_LINE": "the end of the line", "$END": "the end of the table"}


def written_name(name: str) -> str:
    """Return a name as it stands in a table."""
    is_text = not any("\ud800" <= each <= "\udfff" for each in name)
    if is_text and _PLAIN_NAME.fullmatch(name):
        return name
    return json.dumps(name, ensure_ascii=not is_text)


def read_table_text(path: str | Path, what: str, hint: str) -> str:
    """Return the text of a file that holds a table, "the calibration table" or whatever `what` calls it. Raises
    DiagnosticError, with `hint`, if it cannot be read or is not UTF-8.
    """
    content = read_bytes(path, what, TABLE_LIMIT_BYTES, hint)
    try:
        return content.decode("utf-8-sig")  # some editors put a mark before the text
    except UnicodeDecodeError as error:
        message = f"not a table: byte {error.start} is not UTF-8"
        raise DiagnosticError(message, Place(file=str(path)), hint=hint) from None


class TableText:
    """A text and its syntax tree by `grammar`; `words` say what its own terminals are, and `hint` what a row is.

    Raises DiagnosticError, with a line of `file`, for mistakes of syntax.
    """

    def __init__(
        self, text: str, file: str, grammar: str, words: Mapping[str, str], hint: str
    ) -> None:
        from lark.exceptions import UnexpectedInput

        self.file = file
        self.lines = text.split("\n")
        self._words = {**_DESCRIPTIONS, **words}
        self._hint = hint
        try:
            self.tree = _parser(grammar).parse(text if text.endswith("\n") else text + "\n")
        except UnexpectedInput as error:
            raise self._syntax_error(error) from None

    def name(self, token: Token) -> str:
        """Return the name that a token stands for. Raises DiagnosticError if it is no JSON string in its quotes, or too
        long.
        """
        if len(token) > _LONGEST_NAME:
            message = f"the name '{token[:SHOWN]}…' has {len(token):,} characters"
            raise self.error(token, message, f"names have at most {_LONGEST_NAME:,}")
        if not token.startswith('"'):
            return str(token)
        try:
            return json.loads(token)
        except json.JSONDecodeError as error:
            raise self.error(
                token, f"not a name: {error.msg}", "write it as a JSON string"
            ) from None

    def error(self, token: Token, message: str, hint: str | None) -> DiagnosticError:
        """Return the error about a token."""
        return DiagnosticError(message, self._place(token.line, token.column), hint=hint)

    def _syntax_error(self, error: UnexpectedInput) -> DiagnosticError:
        """Return a mistake of syntax in words: what stands there, and what was expected."""
        from lark.exceptions import UnexpectedCharacters, UnexpectedToken

        expected: set[str] = set()
        if isinstance(error, UnexpectedToken):
            expected = set(error.accepts or error.expected)
        elif isinstance(error, UnexpectedCharacters):
            expected = set(error.allowed or ())
        words = [text for name, text in self._words.items() if name in expected]
        line, column = max(error.line, 1), max(error.column, 1)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        rest = text[column - 1 :].split(maxsplit=1)
        found = f"unexpected '{rest[0][:SHOWN]}'" if rest else "the line ends too early"
        message = f"{found}, expected {' or '.join(words)}" if words else found
        return DiagnosticError(message, self._place(line, column), hint=self._hint)

    def _place(self, line: int | None, column: int | None) -> Place:
        source = self.lines[line - 1] if line and line <= len(self.lines) else None
        return Place(file=self.file, line=line, column=column, source=source)


def tokens_of(tree: Tree[Token]) -> list[Token]:
    """Return the tokens that are children of a node."""
    from lark import Token

    return [each for each in tree.children if isinstance(each, Token)]


@cache
def _parser(grammar: str) -> Lark:
    from lark import Lark

    return Lark(grammar, parser="lalr", propagate_positions=False)
