"""All architectures, by name."""

from __future__ import annotations

from . import language, perception, plain, vision
from .architecture import Architecture

CATALOG: dict[str, Architecture] = {
    each.name: each
    for each in (
        *vision.ARCHITECTURES,
        *plain.ARCHITECTURES,
        *perception.ARCHITECTURES,
        *language.ARCHITECTURES,
    )
}
