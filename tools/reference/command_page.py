"""The page of the commands: what `--help` prints, for every program and subcommand."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from unittest.mock import patch

from .. import bisect, extract, gui, opt, reduce
from .. import main as smalti
from .markdown import code, page

_PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "smalti-opt": opt.main,
    "smalti-bisect": bisect.main,
    "smalti-reduce": reduce.main,
    "smalti-extract": extract.main,
    "smalti-gui": gui.main,
}


def command_page() -> str:
    """Return the page of every program."""
    parts = [f"## `smalti`\n\n{code(_help(smalti.main, []), 'text')}"]
    for name in smalti.COMMANDS:
        parts.append(f"### `smalti {name}`\n\n{code(_help(smalti.main, [name]), 'text')}")
    for name, main in _PROGRAMS.items():
        parts.append(f"## `{name}`\n\n{code(_help(main, []), 'text')}")
    return page("Commands", *parts)


def _help(main: Callable[[list[str]], int], words: list[str]) -> str:
    """Return what `--help` prints on a terminal of 100 columns."""
    stream = io.StringIO()
    columns = patch.dict(os.environ, {"COLUMNS": "100"})
    with columns, redirect_stdout(stream), suppress(SystemExit):
        main([*words, "--help"])
    return stream.getvalue()
