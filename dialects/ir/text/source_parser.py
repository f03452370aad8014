"""xDSL's parser over a text in which it can continue from any offset."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.parser import Parser

from ..source_text import SourceText


class SourceParser(Parser):
    """xDSL's parser over `source`, whose text may be read in part by other means."""

    def __init__(self, ctx: Context, source: SourceText) -> None:
        super().__init__(ctx, "", source.file)
        self.source = source

    def go_on_at(self, position: int) -> None:
        """Continue parsing at the character at offset `position` of the text."""
        self._resume_from(position)
