"""Keeps the schedule of a compilation: how each layer is carried out, as it stands before layers are divided."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...passes.instrument import PassInstrument
from ...passes.tile.network_schedule import NetworkSchedule, layers_of
from ...passes.tile.plan import Plan
from ...passes.tile.split_over_cores import SplitOverCores


class ScheduleRecord(PassInstrument):
    """Takes down the schedules of all layers once they are complete, with what other passes change in them before the
    layers are divided.
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
                hint=f"run {Plan.name}, from IR whose layers are not tiled yet",
            )
        return self._found

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        if isinstance(each, SplitOverCores) and self._found is not None:
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
