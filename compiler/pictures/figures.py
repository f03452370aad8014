"""Makes figures and writes them to files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png", ".pdf", ".html")
_PAGE = '<!doctype html>\n<meta charset="utf-8">\n<title>Smalti</title>\n{}\n'


def check_plot(path: str | Path) -> None:
    """Raise DiagnosticError if no picture can be written to a path: its suffix is none of `FORMATS`, or matplotlib is
    not installed.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise DiagnosticError(
            f"a picture cannot be written as '{Path(path).suffix}'",
            Place(file=str(path)),
            hint=f"end the file's name in {', '.join(FORMATS)}",
        )
    new_figure(1, 1)


def new_figure(width: float, height: float) -> tuple[Figure, Any]:
    """Return a figure of so many inches, and its axes. Raises DiagnosticError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DiagnosticError(
            "matplotlib is not installed", hint="pip install 'smalti[plot]', or leave the plot out"
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def figure_as_svg(figure: Figure) -> str:
    """Return a picture as an SVG element, the same text each time."""
    import matplotlib

    picture = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "smalti"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    svg = picture.getvalue()
    return svg[svg.index("<svg") :]


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a picture, the same bytes each time; an .html is a page with it. Raises DiagnosticError."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "smalti"}):
        if Path(path).suffix.lower() == ".html":
            write_text(path, _PAGE.format(figure_as_svg(figure)))
            return
        metadata = {"Date": None} if Path(path).suffix.lower() == ".svg" else None
        try:
            figure.savefig(path, metadata=metadata)
        except OSError as error:
            message = f"cannot write the picture: {error.strerror}"
            raise DiagnosticError(message, Place(file=str(path)), hint="check the path") from None
