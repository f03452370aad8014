"""Tells which fields of schedules that were written beside the IR change nothing for the layers that they are for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ....backends.diagnostics.diagnostic import Diagnostic, Place
from ....dialects.tile import GroupOp
from ..tiler_bases.accumulating_tiler import AccumulatingTiler
from .layer_parts import Parts
from .multicast import cores_sharing_activations, cores_sharing_weights
from .places import Places, PlannedLayer


def unused_settings(planned: Sequence[PlannedLayer], places: Places) -> Iterator[Diagnostic]:
    """Return a warning for each field that has no effect on any of the layers that its entry matches. `planned` have
    their complete schedules, but for `places`, those of their outputs.
    """
    reasons: dict[Place, tuple[str, str, str]] = {}
    used: set[Place] = set()
    for each in planned:
        for name, place in each.layer.operation.decided.places.items():
            output = each.layer.output.value
            is_apart = output in places.kept and output not in places.in_place
            why = _why_unused(name, each, is_apart)
            if why is None:
                used.add(place)
            else:
                reasons.setdefault(place, (name, each.layer.name, why))
    for place, (name, layer, why) in reasons.items():
        if place not in used:
            yield Diagnostic(
                "warning",
                f"'{name}' has no effect on layer '{layer}': {why}",
                place,
                hint=f"leave '{name}' out of the schedule",
            )


def _why_unused(name: str, planned: PlannedLayer, is_apart: bool) -> str | None:
    """Return why a field changes nothing for a layer; None if it may change something. `is_apart` tells whether the
    output stays in local memories in buffers of its own.
    """
    decided, tiler, layer = planned.layer.operation.decided, planned.tiler, planned.layer
    parts = Parts(tuple(planned.cores), tuple(planned.windows), None)
    has_weights = any(tiler.work(window).constant_bytes for window in planned.windows)
    if name == "weights" and decided.weights == "multicast":
        if not has_weights:
            return "it has no weights"
        if cores_sharing_weights(tiler, parts) < 2:
            return _alone(planned, "load the same weights")
    if name == "activations" and decided.activations == "multicast":
        if not tiler.layer.output.is_kept and not any(each.is_kept for each in layer.inputs):
            return "it reads and writes global memory only"
        if cores_sharing_activations(tiler, parts) < 2:
            return _alone(planned, "share elements in local memories")
    if name == "slice_weights":
        if not isinstance(layer.operation.parent_op(), GroupOp):
            return "it is in no group, and so in no slices"
        if not has_weights:
            return "it has no weights"
    if name == "output" and decided.output == "in_place" and is_apart:
        return "its elements lie in no other tensor on the cores that compute them, or there is no room for that"
    if name == "depth" and decided.depth and isinstance(tiler, AccumulatingTiler):
        is_more = min(decided.depth) > tiler.depth
        return f"it sums over {tiler.depth} input channels, which are fewer" if is_more else None
    return None


def _alone(planned: PlannedLayer, what: str) -> str:
    if len(set(planned.cores)) == 1:
        return f"it runs on core {planned.cores[0]} alone"
    return f"no two of its cores {what}"
