"""Keeps the schedule of a compilation: how each layer is carried out, as it stands before layers are divided."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...passes.instrument import PassInstrument
from ...passes.tile.groups.slice_groups import SliceGroups
from ...passes.tile.network_schedule import NetworkSchedule, layers_of
from ...passes.tile.plan import Plan
from ...passes.tile.split_over_cores import SplitOverCores

_DIVIDING = (SliceGroups, SplitOverCores)
"""The passes that divide layers: before the first of them all layers, and groups, are whole."""


class ScheduleRecord(PassInstrument):
    """Takes down the schedules of all layers as they stand when the layers are divided, into slices or among cores:
    those of `tile-plan`, or of any other pass that decides about layers.
    """

    def __init__(self) -> None:
        self._found: NetworkSchedule | None = None
        self._fault: DiagnosticError | None = None

    @property
    def schedule(self) -> NetworkSchedule:
        """The schedule. Raises DiagnosticError if there is none, or if names do not tell its layers apart."""
        if self._fault is not None:
            raise self._fault
        if self._found is None:
            raise DiagnosticError(
                "there is no schedule: no pass has planned the layers",
                hint=f"run {Plan.name}, or a planner of your own, from IR whose layers are not tiled yet",
            )
        return self._found

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        if isinstance(each, _DIVIDING) and _is_decided_and_whole(tile.program_of(module)):
            self._take(module)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        if isinstance(each, Plan):
            self._take(module)

    def _take(self, module: ModuleOp) -> None:
        program = tile.program_of(module)
        if not layers_of(program):
            return
        try:
            self._found = NetworkSchedule.of(program, target_of(module).name)
        except DiagnosticError as error:
            self._fault = error


def _is_decided_and_whole(program: tile.ProgramOp) -> bool:
    """Tell whether something is decided about layers, none of which is divided yet."""
    layers = layers_of(program)
    if any(op.core is not None or op.slice is not None for op in layers):
        return False
    return bool(program.groups) or any(op.decided != tile.Schedule() for op in layers)
