"""The picture of the architecture: a box per layer with its folders, arrows from who imports to what is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from ...dialects.level import LEVELS
from .architecture import LAYERS, Folder, direct, folders, layer_imports, layer_of

WIDTH = 960
_GAP = 40
_PAD = 14
_CHIP_HEIGHT = 24
_CHIP_GAP = 6
_HEAD = 52
_ARROW = "#8b949e"
_WRONG = "#d1242f"
_LETTER = 7.3
"""The width of a letter of a folder's name, in a 12-pixel monospaced font."""


@dataclass(frozen=True)
class _Place:
    """Where a layer's box stands in its row: its left and right edge, its color, its words."""

    left: int
    right: int
    color: str
    says: str


_PLACES: dict[str, _Place] = {
    "tools": _Place(0, 960, "#7a3b69", "the command-line programs"),
    "compiler": _Place(0, 960, "#8f3f50", "what ties it together, and the public API"),
    "backends/runtime": _Place(486, 960, "#9a4a3c", "programs in service: policies"),
    "backends/interpreter": _Place(0, 440, "#a5502f", "runs top, tpu and tile IR"),
    "backends/simulator": _Place(486, 766, "#a5502f", "runs programs: values, cycles"),
    "backends/cpu": _Place(812, 960, "#a5502f", "ONNX Runtime"),
    "passes": _Place(0, 704, "#8a6d1f", "rewrite IR, level by level; tiling: mathematics, no IR"),
    "backends/program": _Place(0, 766, "#4f7332", "the bytes: encoding, container, assembler"),
    "dialects": _Place(0, 766, "#2a7a5c", "what IR means, in text and in memory"),
    "backends/instructions": _Place(
        0, 766, "#1f7484", "the instruction set; no xDSL from here down"
    ),
    "backends/numerics": _Place(0, 560, "#2c6494", "the one arithmetic of every op"),
    "backends/targets": _Place(0, 560, "#25708c", "machines as TOML files"),
    "backends/diagnostics": _Place(0, 960, "#4a5a8c", "how a mistake is told; known to all"),
}
"""Set by hand so that each arrow runs straight down and through no other box; the row follows from the rank."""


@dataclass(frozen=True)
class _Box:
    """A layer's box in pixels, and the names of its folders, line by line."""

    layer: str
    place: _Place
    top: int
    bottom: int
    lines: list[list[str]]


def architecture_picture() -> str:
    """Return the picture as SVG text."""
    found = folders()
    boxes = _boxes(found)
    height = max(box.bottom for box in boxes.values())
    arrows = [
        _arrow(boxes[above], boxes[below], boxes)
        for above, names in direct(layer_imports(found, _PLACES)).items()
        for below in sorted(names)
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {WIDTH + 8} {height + 8}" '
        f'width="{WIDTH + 8}" height="{height + 8}" role="img" '
        'aria-label="The layers of Smalti: a layer imports only layers below it">',
        "<!-- Made by `python -m smalti.tools.reference` from the imports in the source. -->",
        '<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}'
        '.says{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif}</style>',
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L10 5L0 10z" fill="{_ARROW}"/></marker></defs>',
        *arrows,
        *(_drawn(box) for box in boxes.values()),
        "</svg>\n",
    ])  # fmt: skip


def _boxes(found: list[Folder]) -> dict[str, _Box]:
    """Place each layer's box; a row is as high as its highest box."""
    lines = {layer: _lines(layer, found) for layer in _PLACES}
    boxes: dict[str, _Box] = {}
    top = 0
    for rank in sorted({LAYERS[layer] for layer in _PLACES}, reverse=True):
        here = [layer for layer in _PLACES if LAYERS[layer] == rank]
        most = max(len(lines[layer]) for layer in here)
        bottom = top + _HEAD + most * (_CHIP_HEIGHT + _CHIP_GAP) + (4 if most else 0)
        for layer in here:
            boxes[layer] = _Box(layer, _PLACES[layer], top, bottom, lines[layer])
        top = bottom + _GAP
    return boxes


def _lines(layer: str, found: list[Folder]) -> list[list[str]]:
    """Break the names of a layer's folders into lines that fit its box."""
    place = _PLACES[layer]
    room = place.right - place.left - 2 * _PAD
    lines: list[list[str]] = []
    used = room + 1.0
    inside = [
        each.path for each in found if each.path != layer and layer_of(each.path, _PLACES) == layer
    ]
    for name in sorted((path.removeprefix(f"{layer}/") for path in inside), key=_by_level):
        if used + _chip_width(name) > room:
            lines.append([])
            used = 0.0
        lines[-1].append(name)
        used += _chip_width(name) + _CHIP_GAP
    return lines


def _by_level(name: str) -> tuple[int, str]:
    """Return a key that sorts folders by level (steps between levels after the level they start from), others first."""
    level = re.split("[_/]", name)[0]
    return (LEVELS.index(level) if level in LEVELS else -1, name)


def _chip_width(name: str) -> float:
    return round(len(name) * _LETTER + 12, 1)


def _drawn(box: _Box) -> str:
    """Draw a box: name and words on top, the folders below."""
    place = box.place
    parts = [
        f'<rect x="{place.left}" y="{box.top}" width="{place.right - place.left}" '
        f'height="{box.bottom - box.top}" rx="8" fill="{place.color}"/>',
        f'<text x="{place.left + _PAD}" y="{box.top + 22}" font-size="15" font-weight="bold" '
        f'fill="#fff">{escape(box.layer)}</text>',
        f'<text class="says" x="{place.left + _PAD}" y="{box.top + 41}" font-size="13" '
        f'fill="#fff" fill-opacity="0.9">{escape(place.says)}</text>',
    ]
    for number, names in enumerate(box.lines):
        x = float(place.left + _PAD)
        y = box.top + _HEAD + number * (_CHIP_HEIGHT + _CHIP_GAP)
        for name in names:
            width = _chip_width(name)
            parts.append(
                f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{_CHIP_HEIGHT}" rx="5" '
                f'fill="#fff" fill-opacity="0.16"/>'
                f'<text x="{x + width / 2:g}" y="{y + 16}" font-size="12" text-anchor="middle" '
                f'fill="#fff">{escape(name)}</text>'
            )
            x = round(x + width + _CHIP_GAP, 1)
    return "\n".join(parts)


def _arrow(above: _Box, below: _Box, boxes: dict[str, _Box]) -> str:
    """Draw an arrow straight down, in the widest stretch that both boxes share and no other box bars.

    An import that runs upwards or sideways is drawn in red; a test fails then, too.
    """
    shared = (max(above.place.left, below.place.left), min(above.place.right, below.place.right))
    free = [shared]
    for box in boxes.values():
        if above.bottom <= box.top and box.bottom <= below.top:
            free = [part for span in free for part in _without(span, box)]
    left, right = max(free, key=lambda span: span[1] - span[0], default=shared)
    color = _ARROW if above.bottom < below.top else _WRONG
    return (
        f'<path d="M{(left + right) // 2} {above.bottom}V{below.top - 3}" stroke="{color}" '
        'stroke-width="2" fill="none" marker-end="url(#head)"/>'
    )


def _without(span: tuple[int, int], box: _Box) -> list[tuple[int, int]]:
    """Return what a box, with some air around it, leaves of a stretch."""
    left, right = box.place.left - 10, box.place.right + 10
    parts = [(span[0], min(span[1], left)), (max(span[0], right), span[1])]
    return [part for part in parts if part[0] < part[1]]
