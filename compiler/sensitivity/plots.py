"""Pictures of sensitivity and of fronts; matplotlib is an extra, smalti[plot]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..pictures.figures import new_figure, save_figure
from .sensitivity import LayerSensitivity

_SHOWN_LAYERS = 40
_NAME_LENGTH = 40


def plot_sensitivity(layers: Sequence[LayerSensitivity], path: str | Path) -> None:
    """Draw the losses of the most sensitive layers, each method a mark and the best one a bar."""
    shown = list(layers[:_SHOWN_LAYERS])
    figure, axes = new_figure(8, 1.2 + 0.2 * max(1, len(shown)))
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
    save_figure(figure, path)


def plot_front(points: Sequence[tuple[float, float, bool]], path: str | Path, quality: str) -> None:
    """Draw points of (cycles, quality, whether on the front), and the front as a line."""
    figure, axes = new_figure(6, 4)
    others = [each for each in points if not each[2]]
    front = sorted(each for each in points if each[2])
    cycles, qualities = [each[0] for each in others], [each[1] for each in others]
    axes.plot(cycles, qualities, ".", color="#999999", label="run")
    axes.plot([each[0] for each in front], [each[1] for each in front], "o-", label="front")
    axes.set_xlabel("simulated cycles")
    axes.set_ylabel(quality)
    axes.legend(fontsize=8)
    save_figure(figure, path)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"…{name[1 - _NAME_LENGTH :]}"
