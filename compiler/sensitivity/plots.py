"""Pictures of sensitivity and of fronts; matplotlib is an extra, smalti[plot]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from .sensitivity import LayerSensitivity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png", ".pdf")
_SHOWN_LAYERS = 40
_NAME_LENGTH = 40


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
    _new_figure(1, 1)


def plot_sensitivity(layers: Sequence[LayerSensitivity], path: str | Path) -> None:
    """Draw the losses of the most sensitive layers, each method a mark and the best one a bar."""
    shown = list(layers[:_SHOWN_LAYERS])
    figure, axes = _new_figure(8, 1.2 + 0.2 * max(1, len(shown)))
    names = [f"{_shortened(each.group.name)} ({each.scheme})" for each in shown]
    places = range(len(shown))
    axes.barh(places, [each.loss for each in shown], color="#c9d8e8")
    methods = list(dict.fromkeys(name for each in shown for name in each.losses))
    for method in methods:
        axes.plot([each.losses[method] for each in shown], places, ".", label=method)
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=1e-6)
    axes.set_xlabel("loss: 1 - mean cosine of the outputs when this layer alone is quantized")
    if methods:
        axes.legend(fontsize=7)
    _save(figure, path)


def plot_front(points: Sequence[tuple[float, float, bool]], path: str | Path, quality: str) -> None:
    """Draw points of (cycles, quality, whether on the front), and the front as a line."""
    figure, axes = _new_figure(6, 4)
    others = [each for each in points if not each[2]]
    front = sorted(each for each in points if each[2])
    cycles, qualities = [each[0] for each in others], [each[1] for each in others]
    axes.plot(cycles, qualities, ".", color="#999999", label="run")
    axes.plot([each[0] for each in front], [each[1] for each in front], "o-", label="front")
    axes.set_xlabel("simulated cycles")
    axes.set_ylabel(quality)
    axes.legend(fontsize=8)
    _save(figure, path)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"…{name[1 - _NAME_LENGTH :]}"


def _new_figure(width: float, height: float) -> tuple[Figure, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DiagnosticError(
            "matplotlib is not installed", hint="pip install 'smalti[plot]', or leave the plot out"
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _save(figure: Figure, path: str | Path) -> None:
    """Write a picture, the same bytes each time."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "smalti"}):
        metadata = {"Date": None} if Path(path).suffix.lower() == ".svg" else None
        try:
            figure.savefig(path, metadata=metadata)
        except OSError as error:
            message = f"cannot write the picture: {error.strerror}"
            raise DiagnosticError(message, Place(file=str(path)), hint="check the path") from None
