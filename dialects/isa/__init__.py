"""The isa dialect: a program of one listing per core, one op per machine instruction.

    isa.program @digits target("default-8c", "sha256:0123456789abcdef") counters(6)
        segments(weights = 4096, input = 784, output = 40, scratch = 0)
        inputs("image" f32[1, 1, 14, 14] at 0)
        outputs("scores" f32[1, 10] at 0)
        weights("program.weights") {
      isa.stream core(0) local(2048) acc(1024) {
        d0: load src_space=global, dst_space=local, src=0x0, dst=0x400, run=512 loc("Conv_3")
        m0: conv2d x=0x400, w=0x0, acc=0x0, type=i8, … after d0 signal c2@{0} for "conv1"
      }
    }

The classes of the instruction ops are made from the table in `backends/instructions/instruction_set.py`. The listing
of a stream is read and written line by line (`line.py`), not token by token. The generic form is
MLIR's.
"""

from xdsl.ir import Dialect

from ...backends.instructions.instruction import Instruction
from .call import CallAttr, OperandAttr
from .instruction_op import OPS, InstructionOp, add_instruction, instruction_op
from .port import PortAttr
from .program import ProgramOp
from .stream import StreamOp

Isa = Dialect("isa", [ProgramOp, StreamOp, *OPS.values()], [PortAttr, CallAttr, OperandAttr])


def register_instruction_op(instruction: type[Instruction]) -> None:
    """Add the op of a plugin's instruction to the dialect."""
    Isa._operations.append(add_instruction(instruction))


__all__ = [
    "OPS",
    "CallAttr",
    "InstructionOp",
    "Isa",
    "PortAttr",
    "ProgramOp",
    "StreamOp",
    "instruction_op",
    "register_instruction_op",
]
