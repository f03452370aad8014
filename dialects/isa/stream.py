"""The stream op: the listing of one core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Block, Operation, Region
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Integer
from ..ir.verifier import WrongOpInside
from .head import parse_number
from .instruction_op import InstructionOp
from .listing import read_listing, write_listing


@irdl_op_definition
class StreamOp(IRDLOperation):
    """The listing of one virtual core, in program order; `local_bytes` and `acc_bytes` say how much memory it uses.

    isa.stream core(0) local(64) acc(0) {
      d0: fill dst=0x0, count=16, type=i8
      v0: softmax x=0x0, out=0x0, type=f32, rows=1, columns=10, in_pitch=16, out_pitch=16 after d0
    }
    """

    name = "isa.stream"
    core = prop_def(Integer)
    local_bytes = prop_def(Integer)
    acc_bytes = prop_def(Integer)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    @staticmethod
    def get(
        core: int, local_bytes: int, acc_bytes: int, instructions: Sequence[Operation]
    ) -> StreamOp:
        """Return a stream with the listing `instructions` for core `core`."""
        numbers = {"core": core, "local_bytes": local_bytes, "acc_bytes": acc_bytes}
        return StreamOp.create(
            properties={name: IntegerAttr(value, i64) for name, value in numbers.items()},
            regions=[Region(Block(instructions))],
        )

    @property
    def instructions(self) -> Iterator[InstructionOp]:
        """The instructions in program order."""
        for op in self.body.block.ops:
            assert isinstance(op, InstructionOp)
            yield op

    def print(self, printer: Printer) -> None:
        """Write the head and the listing."""
        printer.print_string(
            f" core({self.core.value.data}) local({self.local_bytes.value.data}) "
            f"acc({self.acc_bytes.value.data})"
        )
        printer.print_op_attributes(self.attributes, print_keyword=True)
        write_listing(printer, self.instructions)

    @classmethod
    def parse(cls, parser: Parser) -> StreamOp:
        """Read the head and the listing."""
        core = parse_number(parser, "core")
        local_bytes = parse_number(parser, "local")
        acc_bytes = parse_number(parser, "acc")
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = StreamOp.get(core, local_bytes, acc_bytes, read_listing(parser))
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op

    def verify_(self) -> None:
        """Raise VerifyException unless the stream stands in a program and holds only instructions, each
        name once, and `after` names instructions that stand earlier.
        """
        program = self.parent_op()
        if program is None or program.name != "isa.program":
            raise VerifyException("isa.stream stands in an isa.program")
        where = f"core {self.core.value.data}"
        seen: set[str] = set()
        for op in self.body.block.ops:
            if not isinstance(op, InstructionOp):
                raise WrongOpInside(op, f"{where}: a stream holds instructions only, got {op.name}")
            name = op.instruction_name.data
            if name in seen:
                raise WrongOpInside(op, f"{where}: two instructions are called '{name}'")
            for earlier in op.after.data if op.after is not None else ():
                if earlier.data not in seen:
                    raise WrongOpInside(
                        op,
                        f"{where}: instruction '{name}' is after '{earlier.data}', "
                        "which is not an instruction that stands earlier in this stream",
                    )
            seen.add(name)
