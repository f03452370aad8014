"""What measures a point, and the errors that end a search, in a form that goes from one process to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...backends.diagnostics.diagnostic import DiagnosticError, Note, Place, as_diagnostic
from .space import Point

Measurement = Mapping[str, Any]
"""What was measured at a point, as JSON can hold it."""


class Evaluator(Protocol):
    """Measures points. It is pickled once for each worker, so it makes what is large when it is first needed."""

    def evaluate(self, point: Point) -> Measurement:
        """Return what is measured at a point, which depends on nothing but the point.

        Raises DiagnosticError, which ends the search, if the point is none of the space or the user's own code fails.
        """
        ...


def portable_error(error: BaseException) -> DiagnosticError:
    """Return an error as a diagnostic without IR, so that it can be pickled."""
    found = as_diagnostic(error)
    place = found.place
    if place is not None:
        place = Place(place.file, place.line, place.column, place.name, place.source)
    notes = [each.message if isinstance(each, Note) else each for each in found.notes]
    return DiagnosticError(found.message, place, notes, found.hint)
