"""`tile-set-schedules`: writes the schedules of a file into the layers that it names.

With the file

    "conv*" <split = [1, 1, 2, 1], tile = [1, 64, 14, 56]>
    "conv1" <output = local>

Before:

    tile.layer (…) -> %conv1 window = [0, 1, 0, 64, 0, 56, 0, 56] { … }

After:

    tile.layer (…) -> %conv1 window = [0, 1, 0, 64, 0, 56, 0, 56]
        schedule = #tile.schedule<split = [1, 1, 2, 1], tile = [1, 64, 14, 56], output = local> { … }

A layer has the name of its op, which is that of the result of the `tpu` op that it was. An entry is for
the layer of its name or, if none has that name, for all that match it as a glob (`*`, `?`, `[abc]`).
Later entries win over earlier ones, and all of them over what a layer's schedule says already, field by
field; `split` and `windows` are one field. What no one says is left to `tile-plan`. That an entry matches
no layer is an error, and so is a schedule that the shape of a layer rules out; whether the layer can be
carried out so is seen by the passes that follow.

What an entry says as `group` of a layer becomes a `tile.group` of the layers from its `first` one to this one.

If the file says for which network and target it is, as files do that Smalti writes, these must be the program's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.schedule import ScheduleAttr
from ..smalti_pass import Level, SmaltiPass
from .groups.make_group import group_as_given
from .network_schedule import NetworkSchedule, check_at, layers_of
from .schedule_text import read_schedule


@dataclass(frozen=True)
class SetSchedules(SmaltiPass):
    """Write the schedules of a file into the layers that it names: file=FILE."""

    name = "tile-set-schedules"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "set": "layers whose schedule was given",
        "groups": "groups that were given",
    }

    file: str
    """Path of the schedule, a text file such as `smalti compile --emit schedule` writes."""

    def schedule(self) -> NetworkSchedule:
        """Return the schedule. Raises DiagnosticError if it cannot be read."""
        return read_schedule(self.file)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Write the schedules. Raises DiagnosticError if they are for another program."""
        program, schedule = tile.program_of(module), self.schedule()
        if schedule.origin is not None:
            schedule.check_origin(program, target_of(module).name)
        for layer, given, place in schedule.given(layers_of(program)):
            whole = given.over(layer.decided)
            check_at(place, layer, whole)
            layer.properties["schedule"] = ScheduleAttr(replace(whole, group=None))
            if whole.group is not None:
                group_as_given(program, layer, whole.group, whole.places.get("group", place))
                self.count("groups")
            self.count("set")


class SetGivenSchedules(SetSchedules):
    """The pass on a schedule that is already in memory; `file` is the file that holds it, or could hold it later."""

    _given: NetworkSchedule

    def __init__(self, file: str, given: NetworkSchedule) -> None:
        super().__init__(file)
        object.__setattr__(self, "_given", given)  # the pass is frozen, as all are

    def schedule(self) -> NetworkSchedule:
        return self._given
