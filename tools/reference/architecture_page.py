"""The page of the architecture: the picture, and a table of folders with what they import."""

from __future__ import annotations

from .architecture import LAYERS, Folder, folders, layer_of
from .markdown import page, table


def architecture_page() -> str:
    """Return the page of all folders, from the top layer to the lowest."""
    found = folders()
    parts: list[str] = []
    for layer in sorted(LAYERS, key=lambda each: (-LAYERS[each], each)):
        rows = (_row(each) for each in found if layer_of(each.path) == layer)
        head = ["folder", "what it is for", "imports"]
        parts += [f"## `{layer}`", table(head, rows)]
    return page(
        "Architecture",
        "Each layer imports the layers below it, never one above or beside it; a test holds that. An arrow "
        "points from who imports to what is imported. An import that follows from others has no arrow of its "
        "own: tools import dialects, too.",
        "![The layers of Smalti and the folders in them](architecture.svg)",
        "The tables have each folder with the other folders that it imports.",
        *parts,
    )


def _row(folder: Folder) -> list[str]:
    return [f"`{folder.path}`", folder.summary, ", ".join(f"`{name}`" for name in folder.imports)]
