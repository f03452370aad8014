"""The attributes that say how a layer is carried out: on which cores, in which parts, in which tiles; and how a group
of layers is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import Place
from ..isa.line import quoted

LoopOrder = Literal["channels_outer", "rows_outer"]
"""Which loop of a product is the outer one. `channels_outer`: weights stay in local memory while the rows change;
`rows_outer`: rows stay while the weights change.
"""

OutputPlace = Literal["global", "local", "in_place"]
"""Where the output of a layer is kept. `global`: it is written to global memory; `local`: each tile stays in the local
memory of the core that computed it, and readers take it from there; `in_place`: so it does, and in the buffer of the
tensor that is joined of it and others, or of which it is a slice, on each core that keeps the same elements of both.
"""

Sending = Literal["separate", "multicast"]
"""How several cores get what all of them need. `separate`: each by itself; `multicast`: all at once, so that the bytes
are read once and cross the bus of global memory, or the interconnect, once.
"""

SliceWeights = Literal["kept", "reloaded"]
"""What becomes of weights when a layer of a group has computed a slice. `kept`: they stay in the memory of the core
until its last slice; `reloaded`: each slice loads them.
"""

Halos = Literal["kept", "recomputed"]
"""What becomes of elements between the layers of a group that two slices read. `kept`: the earlier slice computes them,
and the later one finds them; `recomputed`: each slice computes what it reads.
"""

SliceOrder = Literal["depth_first", "pipelined"]
"""In which order the layers of a group compute slices. `depth_first`: all layers compute one slice, then the next;
`pipelined`: while a layer computes a slice, the layer before it computes the next one.
"""

_HIGHEST = 2**32


@dataclass(frozen=True)
class Group:
    """How a group of layers is carried out: in `slices` slices along `axis` of the last layer's output.

    `first` is the name of the group's first layer where the group is a field of the schedule of its last layer, else
    None.
    """

    axis: int
    slices: int
    halos: Halos = "kept"
    order: SliceOrder = "depth_first"
    first: str | None = None

    def check(self) -> None:
        """Raise VerifyException unless the numbers are possible."""
        if self.axis < 0:
            raise VerifyException(f"'axis' of a group is at least 0, got {self.axis}")
        if self.slices < 1:
            raise VerifyException(f"'slices' of a group is at least 1, got {self.slices}")

    def __str__(self) -> str:
        """Return the text of the fields, as it stands between angle brackets."""
        first = "" if self.first is None else f"first = {quoted(self.first)}, "
        order = "" if self.order == "depth_first" else f", order = {self.order}"
        return f"{first}axis = {self.axis}, slices = {self.slices}, halos = {self.halos}{order}"


@irdl_attr_definition
class GroupAttr(Data[Group]):
    """How a group of layers is carried out: slice by slice.

    #tile.group<axis = 2, slices = 4, halos = kept, order = pipelined>
    """

    name = "tile.group"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Group:
        """Read the fields in angle brackets, in any order."""
        start = parser.pos
        group = _group(parser)
        if group.first is not None:
            parser.raise_error(
                "a group that is an op has no 'first': the layers stand in it", start, parser.pos
            )
        return group

    def print_parameter(self, printer: Printer) -> None:
        """Write the fields in angle brackets."""
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        """Raise VerifyException unless the fields are possible."""
        self.data.check()


@dataclass(frozen=True)
class Schedule:
    """What is decided about a layer; None for what is not decided yet.

    `cores`: the core of each part. `split`: into how many parts each axis of the output is divided; the parts are in
    row-major order. `windows`: the parts themselves, in place of `split`, each as low and high of every axis. `tile`,
    `depth` and `order` have one value for all parts, or one for each part. `tile`: the size of a tile along each loop
    of the layer (for most ops, the axes of the output). `depth`: how many input channels a tile sums over before the
    next ones are loaded. `block`: how many channels a block of packed weights has. `output`: where the output is kept.
    `weights`: how cores load the weights that they share. `activations`: how they get the elements that they share of
    tensors in local memories. `slice_weights`: what becomes of the weights from slice to slice, if the layer is in a
    group. `group`: the group that the layer is the last one of, where schedules are kept beside the IR; in the IR the
    group is an op.

    `places` are where fields were written, by their names, if that is a text beside the IR: errors about them point
    there. They are no part of the schedule: it is printed without them, and equal to one with others.
    """

    cores: tuple[int, ...] | None = None
    split: tuple[int, ...] | None = None
    windows: tuple[tuple[int, ...], ...] | None = None
    tile: tuple[tuple[int, ...], ...] | None = None
    depth: tuple[int, ...] | None = None
    order: tuple[LoopOrder, ...] | None = None
    block: int | None = None
    output: OutputPlace | None = None
    weights: Sending | None = None
    activations: Sending | None = None
    slice_weights: SliceWeights | None = None
    group: Group | None = None
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def decisions(self) -> dict[str, Any]:
        """Return the values of the fields that are decided, by their names."""
        values = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def stays_on_chip(self) -> bool:
        """Whether the output stays in local memories."""
        return self.output in ("local", "in_place")

    def over(self, other: Schedule) -> Schedule:
        """Return this schedule, completed by what `other` decides where this one does not."""
        own = self.decisions()
        if "split" in own or "windows" in own:
            other = replace(other, split=None, windows=None)
        merged = replace(other, **own)
        # A value that another pass completes or repeats is still the one that was written.
        remaining = {
            name: place
            for name, place in other.places.items()
            if getattr(other, name) is not None and getattr(merged, name) == getattr(other, name)
        }
        return replace(merged, places={**remaining, **self.places})

    @property
    def values_per_part(self) -> int | None:
        """For how many parts the schedule has a value each; None if it has values for all parts only."""
        for values in (self.windows, self.cores):
            if values is not None:
                return len(values)
        lists = [each for each in (self.tile, self.depth, self.order) if each and len(each) > 1]
        return len(lists[0]) if lists else None

    def of_part(self, part: int) -> Schedule:
        """Return what the schedule of a layer says about part number `part`."""

        def chosen(values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
            if values is None or len(values) == 1:
                return values
            return (values[part],)

        return Schedule(
            tile=chosen(self.tile),
            depth=chosen(self.depth),
            order=chosen(self.order),
            block=self.block,
            output=self.output,
            weights=self.weights,
            activations=self.activations,
            slice_weights=self.slice_weights,
            places=self.places,
        )

    def check(self) -> None:
        """Raise VerifyException unless all numbers are possible, and lists of one value a part are equally long."""
        if self.split is not None and self.windows is not None:
            raise VerifyException("a schedule has 'split' or 'windows', not both")
        for name in ("cores", "windows", "tile", "depth", "order"):
            if getattr(self, name) == ():
                raise VerifyException(
                    f"'{name}' is empty: it has a value for each part; leave it out to have it chosen"
                )
        for name, least in (("cores", 0), ("split", 1), ("depth", 1)):
            values = getattr(self, name)
            if values is not None and min(values, default=least) < least:
                raise VerifyException(
                    f"'{name}' has numbers of at least {least}, got {list(values)}"
                )
        if self.cores is not None and len(set(self.cores)) < len(self.cores):
            twice = next(core for core in self.cores if self.cores.count(core) > 1)
            raise VerifyException(
                f"'cores' has core {twice} more than once, in {list(self.cores)}: each part has a core of its own"
            )
        for sizes in self.tile or ():
            if min(sizes, default=1) < 1:
                raise VerifyException(f"'tile' has sizes of at least 1, got {list(sizes)}")
        if self.block is not None and self.block < 1:
            raise VerifyException(f"'block' is at least 1, got {self.block}")
        if self.group is not None:
            self.group.check()
        count = None if self.cores is None else len(self.cores)
        for name in ("windows", "tile", "depth", "order"):
            values = getattr(self, name)
            alone = name != "windows" and values is not None and len(values) == 1
            if values is None or alone:
                continue
            count = len(values) if count is None else count
            if len(values) != count or not count:
                raise VerifyException(
                    f"'{name}' has {len(values)} values, the schedule has {count} parts"
                )


@irdl_attr_definition
class ScheduleAttr(Data[Schedule]):
    """How a layer is carried out; what is left out is decided by the pass that needs it.

    #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 64, 14, 56], depth = 128, order = channels_outer,
    block = 64, output = local, weights = multicast>
    """

    name = "tile.schedule"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Schedule:
        """Read the fields in angle brackets, in any order."""
        return cls.parse_fields(parser)[0]

    @classmethod
    def parse_fields(cls, parser: AttrParser) -> tuple[Schedule, dict[str, int]]:
        """Read the fields in angle brackets; return also where in the text each stands, by its name."""
        start = parser.pos
        found, offsets = _read_fields(parser, "a schedule", "schedule", _READERS)
        schedule = Schedule(**found)
        try:
            schedule.check()
        except VerifyException as error:
            parser.raise_error(str(error), start, parser.pos)
        return schedule, offsets

    def print_parameter(self, printer: Printer) -> None:
        """Write the fields that are decided in angle brackets."""
        printer.print_string(f"<{self.body()}>")

    def body(self) -> str:
        """Return the text of the fields, as it stands between the angle brackets."""
        decisions = self.data.decisions().items()
        return ", ".join(f"{name} = {_text(name, value)}" for name, value in decisions)

    def verify(self) -> None:
        """Raise VerifyException unless the fields are possible."""
        self.data.check()


def _read_fields(
    parser: AttrParser, what: str, kind: str, readers: Mapping[str, Callable[[AttrParser], Any]]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Read fields in angle brackets, in any order; `what` has them, which is of this kind. Return their values, and
    where in the text each stands.
    """
    found: dict[str, Any] = {}
    offsets: dict[str, int] = {}

    def read() -> None:
        position = parser.pos
        name = parser.parse_identifier(f" for a field of the {kind}")
        if name not in readers:
            parser.raise_error(
                f"{what} has no field '{name}': it has {', '.join(readers)}", position, parser.pos
            )
        if name in found:
            parser.raise_error(f"'{name}' is given twice", position, parser.pos)
        parser.parse_punctuation("=")
        offsets[name] = position
        found[name] = readers[name](parser)

    parser.parse_comma_separated_list(parser.Delimiter.ANGLE, read)
    return found, offsets


def _group(parser: AttrParser) -> Group:
    """Read the fields of a group in angle brackets."""
    start = parser.pos
    found, _ = _read_fields(parser, "a group", "group", _GROUP_READERS)
    for name in ("axis", "slices"):
        if name not in found:
            parser.raise_error(f"a group must have '{name}'", start, parser.pos)
    group = Group(**found)
    try:
        group.check()
    except VerifyException as error:
        parser.raise_error(str(error), start, parser.pos)
    return group


def _integer(parser: AttrParser) -> int:
    start = parser.pos
    limit = "numbers of a schedule have at most 32 bits"
    try:
        value = parser.parse_integer(allow_boolean=False)
    except ValueError:
        # Python reads no numbers of thousands of digits.
        parser.raise_error(limit, start, parser.pos)
    if not -_HIGHEST < value < _HIGHEST:
        parser.raise_error(f"{limit}, got {value}", start, parser.pos)
    return value


def _integers(parser: AttrParser) -> tuple[int, ...]:
    return tuple(
        parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _integer(parser))
    )


def _word(what: str, words: Sequence[str]) -> Callable[[AttrParser], str]:
    """Return a reader of one of the words; `what` names the field in messages."""

    def reader(parser: AttrParser) -> str:
        position = parser.pos
        word = parser.parse_identifier(f" for the {what}")
        if word not in words:
            parser.raise_error(
                f"the {what} is {' or '.join(words)}, got '{word}'", position, parser.pos
            )
        return word

    return reader


def _one_or_more(read: Callable[[AttrParser], Any]) -> Callable[[AttrParser], tuple[Any, ...]]:
    """Return a reader of one value, or of a list with a value for each part."""

    def reader(parser: AttrParser) -> tuple[Any, ...]:
        values = parser.parse_optional_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: read(parser)
        )
        return (read(parser),) if values is None else tuple(values)

    return reader


def _tile(parser: AttrParser) -> tuple[tuple[int, ...], ...]:
    """Read the sizes of one tile, or a list of such lists."""

    def read() -> int | tuple[int, ...]:
        sizes = parser.parse_optional_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: _integer(parser)
        )
        return _integer(parser) if sizes is None else tuple(sizes)

    start = parser.pos
    values: list[Any] = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, read)
    lists = [value for value in values if isinstance(value, tuple)]
    if lists and len(lists) != len(values):
        parser.raise_error("'tile' mixes sizes and lists of sizes", start, parser.pos)
    return tuple(lists) if lists else (tuple(values),)


def _windows(parser: AttrParser) -> tuple[tuple[int, ...], ...]:
    return tuple(
        parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _integers(parser))
    )


_READERS: dict[str, Callable[[AttrParser], Any]] = {
    "cores": _integers,
    "split": _integers,
    "windows": _windows,
    "tile": _tile,
    "depth": _one_or_more(_integer),
    "order": _one_or_more(_word("order", get_args(LoopOrder))),
    "block": _integer,
    "output": _word("output", get_args(OutputPlace)),
    "weights": _word("loading of weights", get_args(Sending)),
    "activations": _word("sending of activations", get_args(Sending)),
    "slice_weights": _word("weights between slices", get_args(SliceWeights)),
    "group": _group,
}
"""Reads the value of each field."""

_GROUP_READERS: dict[str, Callable[[AttrParser], Any]] = {
    "first": lambda parser: parser.parse_str_literal(" for the name of the first layer"),
    "axis": _integer,
    "slices": _integer,
    "halos": _word("halos", get_args(Halos)),
    "order": _word("order", get_args(SliceOrder)),
}
"""Reads the value of each field of a group."""

FIELDS = tuple(_READERS)
"""The names of the fields of a schedule, in the order in which they are written."""

GROUP_FIELDS = tuple(_GROUP_READERS)
"""The names of the fields of a group."""


def _text(name: str, value: Any) -> str:
    """Return the text of a field's value: lists in square brackets, a value for all parts without."""
    if isinstance(value, Group):
        return f"<{value}>"
    if name in ("block", "output", "weights", "activations", "slice_weights"):
        return str(value)
    if name in ("tile", "depth", "order") and len(value) == 1:
        value = value[0]
    return _list(value)


def _list(value: int | str | Sequence[Any]) -> str:
    if isinstance(value, int | str):
        return str(value)
    return f"[{', '.join(_list(each) for each in value)}]"
