"""The program op: its target, its memory, its inputs and outputs, and a stream for each core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    SymbolNameConstraint,
    i64,
)
from xdsl.ir import Attribute, Block, Region
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_check import MemorySizes, instruction_error
from ...backends.instructions.instruction_set import SEGMENTS
from ...backends.numerics.functions.call import Call
from ...backends.targets.target import Target, load_target
from ..ir.attribute import INTS, Integer, values_of
from ..ir.location import place_of
from ..ir.verifier import WrongOpInside
from .call import CallAttr
from .head import name_text, parse_number, parse_pairs, parse_string
from .instruction_op import MAX_CORES, InstructionOp
from .line import quoted
from .port import PortAttr
from .stream import StreamOp


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A program: the target it is for, the memory it needs, its inputs and outputs, and a stream for each core.

    `target` is a name or path that `load_target` accepts, and `target_hash` the hash of that target's content.
    `counters` is how many counters each core uses. `segments` holds the sizes, in bytes, of the segments of global
    memory, in the order of `SEGMENTS`. `calls` are what the host computes for the program, by the number
    (from 1) that instructions name. `key` names the contents of segment "weights" (u8) in the weight store; without it
    there are none.

    isa.program @fill target("default-8c", "sha256:d554696df68563fa") counters(0)
        segments(weights = 0, input = 0, output = 40, scratch = 0)
        inputs()
        outputs("scores" f32[1, 10] at 0) {
      isa.stream core(0) local(64) acc(0) {
        d0: fill dst=0x0, count=10, type=f32
        s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=40 after d0
      }
    }
    """

    name = "isa.program"
    sym_name = prop_def(SymbolNameConstraint())
    target = prop_def(StringAttr)
    target_hash = prop_def(StringAttr)
    counters = prop_def(Integer)
    segments = prop_def(INTS)
    calls = opt_prop_def(ArrayAttr[CallAttr])
    inputs = prop_def(ArrayAttr[PortAttr])
    outputs = prop_def(ArrayAttr[PortAttr])
    key = opt_prop_def(StringAttr)
    statistics = opt_prop_def(DictionaryAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), IsolatedFromAbove(), SymbolOpInterface())

    @staticmethod
    def get(
        name: str,
        target: str,
        target_hash: str,
        *,
        counters: int,
        segments: Mapping[str, int],
        inputs: Sequence[PortAttr],
        outputs: Sequence[PortAttr],
        streams: Sequence[StreamOp],
        calls: Sequence[CallAttr] = (),
        key: str | None = None,
        statistics: Mapping[str, int] | None = None,
    ) -> ProgramOp:
        """Return a program; `segments` gives sizes in bytes by segment name (0 for those left out), `key` names the
        weights in the store.
        """
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "target": StringAttr(target),
            "target_hash": StringAttr(target_hash),
            "counters": IntegerAttr(counters, i64),
            "segments": DenseArrayBase.from_list(i64, [segments.get(s, 0) for s in SEGMENTS]),
            "inputs": ArrayAttr(inputs),
            "outputs": ArrayAttr(outputs),
        }
        if calls:
            properties["calls"] = ArrayAttr(calls)
        if key is not None:
            properties["key"] = StringAttr(key)
        if statistics:
            properties["statistics"] = _statistics(statistics)
        return ProgramOp.create(properties=properties, regions=[Region(Block(streams))])

    @property
    def streams(self) -> list[StreamOp]:
        """The streams, in the order of their cores."""
        return [op for op in self.body.block.ops if isinstance(op, StreamOp)]

    @property
    def host_calls(self) -> list[Call]:
        """What the host computes for the program; the first is number 1."""
        return [] if self.calls is None else [each.call() for each in self.calls.data]

    @property
    def segment_sizes(self) -> dict[str, int]:
        """Size in bytes of each segment of global memory."""
        return dict(zip(SEGMENTS, self.segments.get_values(), strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """The statistics as plain numbers."""
        if self.statistics is None:
            return {}
        pairs = self.statistics.data.items()
        return {name: value.value.data for name, value in pairs if isinstance(value, IntegerAttr)}

    def load_target(self) -> Target:
        """Return the target after checking its hash. Raises DiagnosticError if it cannot be loaded or its content
        differs.
        """
        target = load_target(self.target.data)
        if target.content_hash != self.target_hash.data:
            raise DiagnosticError(
                f"program @{self.sym_name.data} was made for a target '{self.target.data}' with "
                f"the content hash {self.target_hash.data}, the target now has "
                f"{target.content_hash}",
                place_of(self),
                hint="compile the model again for the target as it is now",
            )
        return target

    def print(self, printer: Printer) -> None:
        """Write the head and the streams."""
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        target = f"{quoted(self.target.data)}, {quoted(self.target_hash.data)}"
        segments = ", ".join(f"{name} = {size}" for name, size in self.segment_sizes.items())
        printer.print_string(f" target({target}) counters({self.counters.value.data})")
        with printer.indented(2):
            printer.print_string(f"\nsegments({segments})")
            if self.calls is not None:
                printer.print_string(f"\ncalls({', '.join(each.body() for each in self.calls)})")
            for keyword, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
                printer.print_string(f"\n{keyword}({', '.join(port.body() for port in ports)})")
            if self.key is not None:
                printer.print_string(f"\nweights({quoted(self.key.data)})")
            if self.statistics is not None:
                counts = ", ".join(f"{name_text(name)} = {n}" for name, n in self.counts.items())
                printer.print_string(f"\nstatistics({counts})")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body)

    @classmethod
    def parse(cls, parser: Parser) -> ProgramOp:
        """Read the head and the streams."""
        name = parser.parse_symbol_name().data
        parser.parse_keyword("target")
        with parser.in_parens():
            target = parse_string(parser, " for the target's name or path")
            parser.parse_punctuation(",")
            target_hash = parser.parse_str_literal(" for the target's hash")
        counters = parse_number(parser, "counters")
        parser.parse_keyword("segments")
        segments = dict(parse_pairs(parser))
        if tuple(segments) != SEGMENTS:
            parser.raise_error(f"segments are {', '.join(SEGMENTS)}, in this order")
        calls: list[CallAttr] = []
        if parser.parse_optional_keyword("calls"):
            calls = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: CallAttr.parse_body(parser)
            )
        ports: list[list[PortAttr]] = []
        for keyword in ("inputs", "outputs"):
            parser.parse_keyword(keyword)
            ports.append(
                parser.parse_comma_separated_list(
                    parser.Delimiter.PAREN, lambda: PortAttr.parse_body(parser)
                )
            )
        key = None
        if parser.parse_optional_keyword("weights"):
            with parser.in_parens():
                key = parse_string(parser, " for the weights' key")
        statistics = (
            dict(parse_pairs(parser)) if parser.parse_optional_keyword("statistics") else None
        )
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = ProgramOp.get(
            name, target, target_hash, counters=counters, segments=segments, inputs=ports[0],
            outputs=ports[1], streams=[], calls=calls, key=key, statistics=statistics,
        )  # fmt: skip
        op.body.detach_block(0)
        parser.parse_region().move_blocks(op.body)
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op

    def verify_(self) -> None:
        """Raise VerifyException unless the streams are those of cores 0, 1, …, the ports lie inside their segments, and
        the instructions stay inside the memories that the program uses.
        """
        try:
            target = self.load_target()
        except DiagnosticError as error:
            raise VerifyException(error.message) from None
        for op in self.body.block.ops:
            if not isinstance(op, StreamOp):
                raise WrongOpInside(op, f"an isa.program holds streams only, got {op.name}")
        cores = [stream.core.value.data for stream in self.streams]
        if cores != list(range(len(cores))) or not cores:
            raise VerifyException(f"there is one stream for each core 0, 1, …, got cores {cores}")
        if len(cores) > min(target.cores, MAX_CORES):
            raise VerifyException(
                f"target '{target.name}' has {target.cores} cores, got {len(cores)} streams"
            )
        self._verify_memory(target)
        sizes = MemorySizes(
            tuple(stream.local_bytes.value.data for stream in self.streams),
            tuple(stream.acc_bytes.value.data for stream in self.streams),
            self.segments.get_values(),
        )
        calls = self.host_calls
        for stream in self.streams:
            self._verify_stream(stream, target, sizes, calls)

    def _verify_memory(self, target: Target) -> None:
        sizes = self.segments.get_values()
        if len(sizes) != len(SEGMENTS) or min(sizes) < 0:
            raise VerifyException(
                f"segments are {len(SEGMENTS)} sizes ({', '.join(SEGMENTS)}), got {list(sizes)}"
            )
        if sum(sizes) > target.global_memory.size_bytes:
            raise VerifyException(
                f"the segments take {sum(sizes)} bytes, the target's global memory has "
                f"{target.global_memory.size_bytes}"
            )
        if not 0 <= self.counters.value.data <= 2**16:
            raise VerifyException(
                f"there are at most {2**16} counters, got {self.counters.value.data}"
            )
        for segment, ports in (("input", self.inputs), ("output", self.outputs)):
            size = self.segment_sizes[segment]
            for port in ports:
                end = port.offset.value.data + port.size_bytes
                if end > size:
                    raise VerifyException(
                        f"{segment} '{port.port_name.data}' ends at byte {end} of segment "
                        f"'{segment}', which has {size}"
                    )
        if (self.key is not None) != (sizes[0] > 0):
            there = "a key" if self.key is not None else "no key"
            raise VerifyException(
                f"segment 'weights' has {sizes[0]} bytes, and there is {there} for them in the "
                "weight store"
            )
        if self.statistics is not None and len(self.counts) != len(self.statistics.data):
            raise VerifyException("statistics are integers")

    def _verify_stream(
        self, stream: StreamOp, target: Target, sizes: MemorySizes, calls: Sequence[Call]
    ) -> None:
        """Raise VerifyException unless the target has the memory that the stream uses, and the instructions stay inside
        it and use counters and cores that exist.
        """
        core = stream.core.value.data
        for what, used, size in (
            ("local memory", sizes.local[core], target.local_memory.size_bytes),
            ("accumulator memory", sizes.acc[core], target.matrix.accumulator_bytes),
        ):
            if not 0 <= used <= size:
                raise WrongOpInside(
                    stream, f"core {core} uses {used} bytes of {what}, the target has {size}"
                )
        for op in stream.instructions:
            problem = instruction_error(
                op.instruction, op.values(), sizes, core, calls
            ) or self._counter_problem(op)
            if problem:
                raise WrongOpInside(
                    op,
                    f"core {core}: instruction '{op.instruction_name.data}' "
                    f"({op.instruction.mnemonic}): {problem}",
                )

    def _counter_problem(self, op: InstructionOp) -> str | None:
        counters, cores = self.counters.value.data, len(self.streams)
        for what, value in (("wait", op.wait), ("signal", op.signal)):
            if value is not None and values_of(value)[0] >= counters:
                return f"'{what}' names counter {values_of(value)[0]}, the program has {counters}"
        if op.signal is not None and values_of(op.signal)[-1] >= cores:
            return f"'signal' names core {values_of(op.signal)[-1]}, the program has {cores}"
        return None


def _statistics(counts: Mapping[str, int]) -> DictionaryAttr:
    return DictionaryAttr({name: IntegerAttr(counts[name], i64) for name in sorted(counts)})
