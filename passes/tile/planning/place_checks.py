"""Checks that layers can read and write what their schedules keep in local memories."""

from __future__ import annotations

from ....dialects.tile import LayerOp, Schedule
from ..tiler_bases.layer import Buffer, Layer
from ..tiler_bases.residents import Residents
from ..tiler_bases.tiler import Tiler
from .places import address_of, is_between_layers


def check_places(layer: Layer, tiler: Tiler, residents: Residents) -> None:
    """Raise DiagnosticError if a layer cannot read or write what stays in local memories."""
    if residents.keeps(layer.output):
        if not layer.operation.decided.stays_on_chip:
            raise layer.schedule_error(
                "output",
                f"another part of '{layer.output.name}' stays in local memory, this one is in global memory",
                "give the schedules of all parts the same 'output'",
            )
        if not is_between_layers(layer.output):
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' cannot stay in local memory: it is no tensor with axes between two layers",
                "leave 'output' out of the schedule",
            )
        if (address := address_of(layer.output)) is not None:
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' has address {address} in global memory and cannot stay in local memory",
                "remove the address, or leave 'output' out of the schedule",
            )
        if layer.operation.decided.output == "in_place" and (
            layer.output.value not in residents.plan.aliases
        ):
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' is neither joined with others nor a slice of a tensor, both in local memory, "
                "and lies in no other tensor",
                "say 'output = local'",
            )
        if not tiler.may_stay_on_chip:
            raise layer.schedule_error(
                "output",
                "its output cannot stay in local memory: the layer's tiles write to global memory only",
                "leave 'output' out of the schedule",
            )
    for index, buffer in enumerate(layer.inputs):
        may_stay = tiler.may_stay_on_chip and index not in tiler.global_inputs
        if residents.keeps(buffer) and not may_stay:
            raise layer.schedule_error(
                "output",
                f"'{buffer.name}' stays in local memory, but the layer's tiles read global memory only",
                f"leave 'output' out of the schedule of the layer that writes '{buffer.name}'",
                _writing(buffer),
            )


def _writing(buffer: Buffer) -> Schedule:
    """Return the schedule of the first layer that writes a buffer."""
    readers_and_writers = (use.operation for use in buffer.value.uses)
    layers = (op for op in readers_and_writers if isinstance(op, LayerOp))
    return next((op.decided for op in layers if op.output == buffer.value), Schedule())
