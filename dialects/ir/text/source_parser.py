"""xDSL's parser over a text that can be read on from any place."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.parser import Parser

from .source_text import SourceText


class SourceParser(Parser):
    """xDSL's parser over `source`, part of whose text may be read by other means."""

    def __init__(self, ctx: Context, source: SourceText) -> None:
        super().__init__(ctx, "", source.file)
        self.source = source

    def go_on_at(self, position: int) -> None:
        """Makes what stands at an offset of the text the next to be read."""
        self._resume_from(position)
