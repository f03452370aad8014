"""The layer before it is tiled, the op that ends its body, and the group of layers that are computed slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import IntegerAttr, LocationAttr, MemRefType, StringAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import INTEGER, INTS, integer, ints, optional_integer
from ..ir.text.assembly import TextOp, print_value
from ..ir.verifier import WrongOpInside
from ..quant.element_type import element_storage
from ..tpu.tpu_op import TpuOp
from .buffer import GlobalOp, check_writable
from .checks import check_core, fail_unless, space_of, storage_of
from .schedule import Group, GroupAttr, Schedule, ScheduleAttr
from .step_op import StepOp

_NOTHING_DECIDED = Schedule()


@irdl_op_definition
class LayerOp(StepOp):
    """A layer before it is tiled: computes the tpu ops in its body for `window` of the output.

    The block arguments are the logical tensors (of tpu types) that `inputs` hold; the body ends in `tile.yield`.
    `window` is (low, high) for each logical axis of the output: only that part of `output` is written. A layer without
    `core` is not yet split over cores. `slice` is the number of a slice, counted over all groups of the program, if the
    layer was one of a group: of layers that write one output, those of different slices may write the same elements,
    and what is not in a slice or one before it, the layers of the slice do not read. `schedule` says how the layer is
    carried out; passes decide what it leaves out.

    tile.layer core 0 (%a = %x : memref<1x10xf32, "global"> as tensor<1x10xf32>)
            -> %y : memref<1x10xf32, "global"> window = [0, 1, 0, 10] schedule = #tile.schedule<tile = [1, 10]> {
        %r = tpu.softmax "p" %a axis = 1 : (tensor<1x10xf32>) -> tensor<1x10xf32>
        tile.yield %r : tensor<1x10xf32>
    }
    """

    name = "tile.layer"
    core = opt_prop_def(INTEGER)
    slice = opt_prop_def(INTEGER)
    window = prop_def(INTS)
    schedule = opt_prop_def(ScheduleAttr)
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove())

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        output: SSAValue,
        body: Region | Block,
        *,
        window: Sequence[int],
        core: int | None = None,
        slice: int | None = None,
        schedule: Schedule | None = None,
        location: LocationAttr | None = None,
    ):
        """Make a layer; `body` is one block whose arguments are the logical tensors that `inputs` hold."""
        IRDLOperation.__init__(
            self,
            operands=[list(inputs), output],
            properties={
                "core": optional_integer(core),
                "slice": optional_integer(slice),
                "window": ints(window),
                "schedule": None if schedule is None else ScheduleAttr(schedule),
            },
            regions=[body if isinstance(body, Region) else Region(body)],
        )
        if location is not None:
            self.location = location

    @property
    def buffer_written(self) -> SSAValue:
        return self.output

    @property
    def buffers_read(self) -> tuple[SSAValue, ...]:
        return tuple(self.inputs)

    @property
    def slice_number(self) -> int | None:
        """The number of the slice that the layer computes; None if it is in no slice."""
        return None if self.slice is None else self.slice.value.data

    @property
    def decided(self) -> Schedule:
        """What is decided about the layer."""
        return _NOTHING_DECIDED if self.schedule is None else self.schedule.data

    @property
    def yielded(self) -> SSAValue:
        """The value that the body computes and the layer writes."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last.value

    @property
    def tpu_name(self) -> str | None:
        """The name of the first op of the body."""
        first = self.body.block.first_op
        found = None if first is None else first.properties.get("name")
        return found.data if isinstance(found, StringAttr) else None

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        numbers: dict[str, Attribute | None] = {}
        for each in ("core", "slice"):
            if parser.parse_optional_keyword(each):
                numbers[each] = integer(parser.parse_integer(allow_boolean=False))
        inputs = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_input(parser)
        )
        parser.parse_punctuation("->", " before the layer's output")
        output = parser.parse_unresolved_operand()
        parser.parse_punctuation(":", " before the output's type")
        position = parser.pos
        type = parser.parse_type()
        if not isinstance(type, MemRefType):
            parser.raise_error("expected a memref", position, parser.pos)
        written = parser.resolve_operand(output, type)
        parser.parse_keyword("window")
        parser.parse_punctuation("=")
        window = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
        )
        schedule = None
        if parser.parse_optional_keyword("schedule"):
            parser.parse_punctuation("=")
            start = parser.pos
            schedule = parser.parse_attribute()
            if not isinstance(schedule, ScheduleAttr):
                parser.raise_error("expected #tile.schedule<...>", start, parser.pos)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region: Region = parser.parse_region([argument.resolve(t) for argument, _, t in inputs])
        return cls.build(
            operands=[[value for _, value, _ in inputs], written],
            properties={**numbers, "window": ints(window), "schedule": schedule},
            attributes={} if attributes is None else dict(attributes.data),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        """Write `core 0 slice 0 (%a = %x : memref<…> as tensor<…>, …) -> %y : memref<…> window = […] schedule = …
        { … }`.
        """
        for name, number in (("core", self.core), ("slice", self.slice)):
            if isinstance(number, IntegerAttr):
                printer.print_string(f" {name} {number.value.data}")
        printer.print_string(" ")
        with printer.in_parens():
            pairs = list(zip(self.body.block.args, self.inputs, strict=False))
            printer.print_list(pairs, lambda pair: _print_input(printer, *pair))
        printer.print_string(" -> ")
        printer.print_ssa_value(self.output)
        printer.print_string(" : ")
        printer.print_attribute(self.output.type)
        printer.print_string(" window = ")
        print_value(printer, self.window)
        if self.schedule is not None:
            printer.print_string(" schedule = ")
            printer.print_attribute(self.schedule)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)

    def verify_(self) -> None:
        check_core(self.core)
        if self.slice is not None:
            number = self.slice.value.data
            fail_unless(number >= 0, f"slice must be at least 0, got {number}")
        arguments = self.body.block.args
        fail_unless(
            len(arguments) == len(self.inputs),
            f"body has {len(arguments)} arguments for {len(self.inputs)} inputs",
        )
        for index, (argument, buffer) in enumerate(zip(arguments, self.inputs, strict=True)):
            _check_logical(f"argument {index}", argument, buffer)
        last = self.body.block.last_op
        for inner in self.body.block.ops:
            allowed = isinstance(inner, TpuOp) or inner is last
            fail_unless(allowed, f"body holds {inner.name}, which is no op of tpu")
        if not isinstance(last, YieldOp):
            raise VerifyException("body must end in tile.yield")
        _check_logical("yielded value", last.value, self.output)
        check_writable("output", self.output)
        assert isinstance(last.value.type, TensorType)
        shape = last.value.type.get_shape()
        _check_window("window", self.window.get_values(), shape)
        self.check_schedule(self.decided)
        fail_unless(
            self.decided.group is None,
            "a schedule in the IR has no 'group': the layers of a group stand in a tile.group",
        )

    def check_schedule(self, schedule: Schedule) -> None:
        """Raise VerifyException unless a schedule fits the shape of the output; a layer that has a core is one part."""
        if self.core is not None:
            for name in ("cores", "split", "windows"):
                fail_unless(
                    getattr(schedule, name) is None,
                    f"a layer that has a core is one part: its schedule has no '{name}'",
                )
            count = schedule.values_per_part
            fail_unless(
                count is None,
                f"a layer that has a core is one part: its schedule has values for {count}",
            )
        rank = len(self.window.get_values()) // 2
        if schedule.split is not None:
            fail_unless(
                len(schedule.split) == rank,
                f"split must have {rank} numbers, got {list(schedule.split)}",
            )
        value = self.yielded.type
        assert isinstance(value, TensorType)
        for window in schedule.windows or ():
            _check_window("a window of the schedule", window, value.get_shape())


def _parse_input(parser: Parser) -> tuple[Parser.UnresolvedArgument, SSAValue, Attribute]:
    """Read `%a = %x : memref<…> as tensor<…>`."""
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=", " before the layer's input")
    operand = parser.parse_unresolved_operand()
    parser.parse_punctuation(":", " before the buffer's type")
    value = parser.resolve_operand(operand, parser.parse_type())
    parser.parse_keyword("as", " before the tensor's type")
    return argument, value, parser.parse_type()


def _print_input(printer: Printer, argument: SSAValue, buffer: SSAValue) -> None:
    """Write what `_parse_input` reads."""
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(buffer)
    printer.print_string(" : ")
    printer.print_attribute(buffer.type)
    printer.print_string(" as ")
    printer.print_attribute(argument.type)


def _check_window(name: str, bounds: Sequence[int], shape: tuple[int, ...]) -> None:
    """Raise VerifyException unless a window, given as low and high of each axis, lies inside the output."""
    fail_unless(
        len(bounds) == 2 * len(shape),
        f"{name} must have {2 * len(shape)} numbers, got {list(bounds)}",
    )
    for axis, size in enumerate(shape):
        low, high = bounds[2 * axis], bounds[2 * axis + 1]
        fail_unless(
            0 <= low < high <= size,
            f"{name} {low} to {high} of axis {axis} is not inside the output's 0 to {size}",
        )


def _check_logical(what: str, value: SSAValue, buffer: SSAValue) -> None:
    """Raise VerifyException unless a tensor has the storage type of the buffer that holds it, and the logical shape
    that the buffer declares.
    """
    if not isinstance(value.type, TensorType):
        raise VerifyException(f"{what} must be a tensor, got {value.type}")
    fail_unless(space_of(buffer) != "acc", f'{what} cannot be in memory space "acc"')
    try:
        storage = element_storage(value.type)
    except ValueError as error:
        raise VerifyException(str(error)) from None
    fail_unless(
        storage == storage_of(buffer),
        f"{what} is stored as {storage}, its buffer holds {storage_of(buffer)}",
    )
    declared = buffer.owner
    if isinstance(declared, GlobalOp):
        shape = declared.shape.get_values()
        fail_unless(
            value.type.get_shape() == shape,
            f"{what} has shape {list(value.type.get_shape())}, its buffer holds {list(shape)}",
        )


@irdl_op_definition
class YieldOp(TextOp):
    """Ends a layer's body with the value that the layer writes.

    tile.program @main {
      %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32, "global">
      %y = tile.global "y" segment = "output" shape = [4] order = [0] : memref<4xf32, "global">
      tile.layer (%a = %x : memref<4xf32, "global"> as tensor<4xf32>)
          -> %y : memref<4xf32, "global"> window = [0, 4] {
        %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4xf32>) -> tensor<4xf32>
        tile.yield %r : tensor<4xf32>
      }
    }
    """

    name = "tile.yield"
    value = operand_def()
    traits = traits_def(IsTerminator(), Pure())

    def __init__(self, value: SSAValue, *, location: LocationAttr | None = None):
        """Make the op that ends a layer's body."""
        super().__init__(operands=[value])
        if location is not None:
            self.location = location


@irdl_op_definition
class GroupOp(TextOp):
    """A group of layers that are computed depth-first: slice by slice, so that what is between them needs room for a
    slice only.

    The output of the last layer is divided into slices along an axis. For each of them, the layers before compute what
    the slice reads. `group` says how many slices there are, whether the halos that two slices read are kept or
    recomputed, and in which order the layers of the slices run. The program means what it would without the group.

    tile.program @main {
      %x = tile.global "x" segment = "input" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
      %a = tile.global "a" segment = "scratch" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
      %y = tile.global "y" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
      tile.group #tile.group<axis = 0, slices = 2, halos = kept> {
        tile.layer (%i = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>)
            -> %a : memref<4x8xf32, "global"> window = [0, 4, 0, 8] {
          %r = tpu.unary "a" %i kind = "exp" : (tensor<4x8xf32>) -> tensor<4x8xf32>
          tile.yield %r : tensor<4x8xf32>
        }
        tile.layer (%i = %a : memref<4x8xf32, "global"> as tensor<4x8xf32>)
            -> %y : memref<4x8xf32, "global"> window = [0, 4, 0, 8] {
          %r = tpu.unary "y" %i kind = "sqrt" : (tensor<4x8xf32>) -> tensor<4x8xf32>
          tile.yield %r : tensor<4x8xf32>
        }
      }
    }
    """

    name = "tile.group"
    group = prop_def(GroupAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    def __init__(
        self, group: Group, layers: list[Operation], *, location: LocationAttr | None = None
    ):
        """Make a group of layers, which must not be in a block."""
        super().__init__(properties={"group": GroupAttr(group)}, regions=[Region(Block(layers))])
        if location is not None:
            self.location = location

    @property
    def decided(self) -> Group:
        """How the group is carried out."""
        return self.group.data

    @property
    def layers(self) -> list[LayerOp]:
        """The layers, in program order."""
        return [op for op in self.body.block.ops if isinstance(op, LayerOp)]

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        group = parser.parse_attribute()
        if not isinstance(group, GroupAttr):
            parser.raise_error("expected #tile.group<...>", start, parser.pos)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        return cls.build(
            properties={"group": group},
            attributes={} if attributes is None else dict(attributes.data),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        """Write `#tile.group<…> { … }`."""
        printer.print_string(" ")
        printer.print_attribute(self.group)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)

    def verify_(self) -> None:
        """Raise VerifyException if the group holds anything but whole layers, if a layer does nothing for the last one,
        or if the output of the last one cannot be divided into so many slices.
        """
        for op in self.body.block.ops:
            fail_unless(isinstance(op, LayerOp), f"holds {op.name}, a group has only layers")
        layers = self.layers
        fail_unless(bool(layers), "has no layers")
        for layer in layers:
            _check_whole(layer)
        *inner, last = layers
        self._check_slices(last)
        later = {id(last)}
        for layer in reversed(inner):
            self._check_inner(layer, later)
            later.add(id(layer))

    def _check_slices(self, last: LayerOp) -> None:
        group, type = self.decided, last.yielded.type
        assert isinstance(type, TensorType)
        shape = type.get_shape()
        fail_unless(
            group.axis < len(shape),
            f"axis must be at most {len(shape) - 1}, the last of the last layer's output, got {group.axis}",
        )
        size = shape[group.axis]
        fail_unless(
            group.slices <= size,
            f"slices must be at most {size}, the size of axis {group.axis} of the last layer's output, got "
            f"{group.slices}",
        )

    def _check_inner(self, layer: LayerOp, later: set[int]) -> None:
        """Check a layer that is not the last: its output is a value between layers, read by layers after it and by
        nothing outside the group.
        """
        name = layer.tpu_name or "?"
        owner = layer.output.owner
        if isinstance(owner, GlobalOp) and owner.segment.data != "scratch":
            raise WrongOpInside(
                layer,
                f"writes a network's {owner.segment.data}: only the last layer of a group may",
            )
        readers = [use.operation for use in layer.output.uses if use.operation is not layer]
        for reader in readers:
            if reader.parent_op() is not self:
                raise WrongOpInside(
                    layer,
                    f"'{name}' is read outside the group: only the output of a group's last layer may be",
                )
        if not any(id(reader) in later for reader in readers):
            raise WrongOpInside(
                layer,
                f"no layer of the group that follows reads '{name}': take the layer out of the group",
            )


def _check_whole(layer: LayerOp) -> None:
    """Raise VerifyException unless a layer computes all of its output, and is not divided."""
    if layer.core is not None or layer.slice is not None:
        what = "a core" if layer.core is not None else "a slice"
        raise WrongOpInside(layer, f"has {what}: a layer of a group is divided when the group is")
    if layer.decided.windows is not None:
        raise WrongOpInside(
            layer,
            "its schedule has 'windows': a layer of a group has other windows in each slice, say 'split'",
        )
    type = layer.yielded.type
    assert isinstance(type, TensorType)
    whole = tuple(bound for size in type.get_shape() for bound in (0, size))
    if layer.window.get_values() != whole:
        raise WrongOpInside(
            layer,
            f"window must be {list(whole)}: a group has whole layers, got {list(layer.window.get_values())}",
        )
