"""The schedules of a network's layers by their names, as people and tools keep them beside the IR."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.dialects.builtin import TensorType
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError, Note, Place, did_you_mean
from ...dialects.isa.line import quoted
from ...dialects.quant.element_type import element_storage
from ...dialects.tile import Group, GroupOp, LayerOp, ProgramOp, Schedule
from ...dialects.tile.schedule import ScheduleAttr

_SHOWN_ENTRIES = 4
_NAMES = "smalti compile --emit schedule writes the names of all layers"
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Entry:
    """What a schedule says of some layers: those of the name `pattern` or, if none has it, those that match it as a
    glob, with * and ? and [abc].
    """

    pattern: str
    schedule: Schedule
    place: Place


@dataclass(frozen=True)
class Origin:
    """The network and the target that a schedule is for. `layers` is the hash of the network's layers; None if that is
    not checked.
    """

    network: str
    layers: str | None
    target: str
    place: Place | None = None


@dataclass(frozen=True, eq=False, repr=False)
class NetworkSchedule(Mapping[str, Schedule]):
    """Schedules by the names of layers, which are those of the results of their `tpu` ops, or by globs of them.

    Later entries win over earlier ones, field by field. As a mapping it has the schedule of each pattern. `origin` is
    None if the schedule may be for any network and target. `file` is where the text was read, None if it was in memory.
    """

    entries: tuple[Entry, ...]
    origin: Origin | None = None
    file: str | None = None

    @staticmethod
    def of(program: ProgramOp, target: str) -> NetworkSchedule:
        """Return the schedules of all layers of a program for a target of this name, complete if they are.

        Raises DiagnosticError if names do not tell the layers apart, or if there are none.
        """
        entries: dict[str, Entry] = {}
        layers = layers_of(program)
        for op in layers:
            name = op.tpu_name or ""
            schedule = replace(op.decided, group=_group_that_ends(op))
            entry = Entry(name, schedule, Place(name=name))
            if op.core is not None:
                raise DiagnosticError(
                    f"layer '{name}' is divided already: a schedule names whole layers",
                    hint="take the schedule before tile-split-over-cores runs",
                )
            if entries.setdefault(name, entry).schedule != schedule:
                raise DiagnosticError(
                    f"several layers have the name '{name}', and other schedules",
                    hint="give the tpu ops different names",
                )
        origin = Origin(program.sym_name.data, layers_hash(layers), target)
        return NetworkSchedule(tuple(entries.values()), origin)

    def __getitem__(self, pattern: str) -> Schedule:
        return self._by_pattern[pattern]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_pattern)

    def __len__(self) -> int:
        return len(self._by_pattern)

    def __repr__(self) -> str:
        whose = f" of '{self.origin.network}' for {self.origin.target}" if self.origin else ""
        return f"<NetworkSchedule{whose}: {len(self)} layers or globs>"

    def __str__(self) -> str:
        """Return the text that `schedule_text.py` reads: a line for network and target, and one for each entry."""
        lines: list[str] = []
        if (origin := self.origin) is not None:
            layers = f" {quoted(origin.layers)}" if origin.layers is not None else ""
            network, target = quoted(origin.network), quoted(origin.target)
            lines += [f"schedule for network {network}{layers} target {target}", ""]
        for entry in self.entries:
            lines.append(f"{quoted(entry.pattern)} <{ScheduleAttr(entry.schedule).body()}>")
        return "".join(f"{line}\n" for line in lines)

    @cached_property
    def _by_pattern(self) -> dict[str, Schedule]:
        found: dict[str, Schedule] = {}
        for entry in self.entries:
            found[entry.pattern] = entry.schedule.over(found.get(entry.pattern, Schedule()))
        return found

    def check_origin(self, program: ProgramOp, target: str) -> None:
        """Raise DiagnosticError if the schedule says that it is for another network or target."""
        origin = self.origin
        if origin is None:
            return
        if origin.target != target:
            raise DiagnosticError(
                f"this schedule is for target '{origin.target}', the program is for '{target}'",
                origin.place,
                hint="compile for that target, or delete this line to try the schedule here",
            )
        network, found = program.sym_name.data, layers_hash(layers_of(program))
        if origin.network == network and origin.layers in (None, found):
            return
        raise DiagnosticError(
            f"this schedule is for another network: '{origin.network}' {origin.layers or ''}, "
            f"this is '{network}' {found}".replace(" ,", ","),
            origin.place,
            [
                "the hash covers names, ops, shapes and number formats of the layers, in their order",
                *self._unmatched_notes(program),
            ],
            "take the schedule of this network, or delete this line to use what fits",
        )

    def _unmatched_notes(self, program: ProgramOp) -> list[Note]:
        names = {op.tpu_name or "" for op in layers_of(program)}
        alone = [entry for entry in self.entries if not names_meant(entry.pattern, names)]
        return [_unmatched_note(entry) for entry in alone[:_SHOWN_ENTRIES]]

    def given(self, layers: Sequence[LayerOp]) -> list[tuple[LayerOp, Schedule, Place]]:
        """Return the layers of which the schedule says something, in their order: each with what it says of it, and the
        place of the last entry that does.

        Raises DiagnosticError if an entry matches no layer, or if what is said of one layer does not fit together.
        """
        names: dict[str, list[int]] = {}
        for number, op in enumerate(layers):
            names.setdefault(op.tpu_name or "", []).append(number)
        found: dict[int, tuple[Schedule, Place]] = {}
        unmatched: list[Entry] = []
        for entry in self.entries:
            matching = names_meant(entry.pattern, names)
            if not matching:
                unmatched.append(entry)
            for number in (number for name in matching for number in names[name]):
                before = found[number][0] if number in found else Schedule()
                found[number] = (entry.schedule.over(before), entry.place)
        if unmatched:
            raise _no_layer(unmatched, names)
        for number, (schedule, place) in found.items():
            check_at(place, layers[number], schedule)
        return [(layers[number], *found[number]) for number in sorted(found)]


def check_at(place: Place, layer: LayerOp, schedule: Schedule) -> None:
    """Raise DiagnosticError, at the place of an entry, if a schedule is impossible for a layer."""
    try:
        schedule.check()
        layer.check_schedule(schedule)
    except VerifyException as error:
        raise DiagnosticError(
            f"this does not fit layer '{layer.tpu_name}': {error}",
            place,
            hint="change the entry, or name other layers",
        ) from None


def _group_that_ends(op: LayerOp) -> Group | None:
    """Return the group that a layer is the last one of, with the name of its first layer; None if it is of none."""
    holder = op.parent_op()
    if not isinstance(holder, GroupOp) or holder.layers[-1] is not op:
        return None
    return replace(holder.decided, first=holder.layers[0].tpu_name)


def layers_of(program: ProgramOp) -> list[LayerOp]:
    """Return the layers of a program, in their order."""
    return program.layers


def layers_hash(layers: Sequence[LayerOp]) -> str:
    """Return the hash of what layers compute: names, ops, shapes and number formats, but no schedule."""
    digest = hashlib.sha256()
    for op in layers:
        first, type = op.body.block.first_op, op.yielded.type
        assert first is not None and isinstance(type, TensorType)
        shape = list(type.get_shape())
        digest.update(f"{op.tpu_name!r} {first.name} {shape} {element_storage(type)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def names_meant(pattern: str, names: Collection[str]) -> list[str]:
    """Return the names that a pattern means: itself or, if that is none, those that match it as a glob."""
    if pattern in names:
        return [pattern]
    if not _GLOB.search(pattern):
        return []
    glob = re.compile(fnmatch.translate(pattern))
    return [name for name in names if glob.match(name)]


def _no_layer(unmatched: Sequence[Entry], names: Mapping[str, object]) -> DiagnosticError:
    """Return the diagnostic for entries that match no layer: about the first one, with notes about others."""
    first, *others = unmatched
    if not names:
        return DiagnosticError(
            "the program has no layers that a schedule could be for: it is tiled already",
            first.place,
            hint="give the schedule before tile-cut-to-local-memory runs",
        )
    is_glob = _GLOB.search(first.pattern)
    message = (
        f"no layer matches '{first.pattern}'" if is_glob else f"there is no layer '{first.pattern}'"
    )
    notes = [_unmatched_note(entry) for entry in others[:_SHOWN_ENTRIES]]
    near = did_you_mean(first.pattern, names)
    return DiagnosticError(message, first.place, notes, near or _NAMES)


def _unmatched_note(entry: Entry) -> Note:
    return Note(f"'{entry.pattern}' matches no layer here", entry.place)
