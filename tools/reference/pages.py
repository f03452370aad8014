"""The list of the reference pages: where each stands and what makes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...backends.diagnostics.files import write_text
from .architecture_page import architecture_page
from .architecture_picture import architecture_picture
from .command_page import command_page
from .dialect_page import DOCUMENTED, dialect_page
from .function_page import function_page
from .instruction_page import instruction_page
from .pass_page import pass_page
from .target_page import target_page

ROOT = Path(__file__).resolve().parents[2]

PAGES: dict[str, Callable[[], str]] = {
    **{f"dialects/reference/{name}.md": partial(dialect_page, name) for name in DOCUMENTED},
    "backends/instructions/reference.md": instruction_page,
    "backends/numerics/functions/reference.md": function_page,
    "passes/reference.md": pass_page,
    "backends/targets/reference.md": target_page,
    "tools/reference/commands.md": command_page,
    "tools/reference/architecture.md": architecture_page,
    "tools/reference/architecture.svg": architecture_picture,
}
"""Each page's or picture's path below the package, and what makes its text."""


def stale_pages() -> list[str]:
    """Return the pages that do not exist, or say something else than the classes do now."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def write_pages() -> list[str]:
    """Write the pages that are stale, and return their names."""
    stale = stale_pages()
    for name in stale:
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        write_text(path, PAGES[name]())
    return stale
