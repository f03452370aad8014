"""The isa dialect: one op per machine instruction, one listing per core.

`program.py` holds the program, its streams and the text of a whole module, `instructions.py` the
instructions, `line.py` and `grammar.py` the text of one line.
"""

from .instructions import OPS, InstructionOp, instruction_op
from .program import Isa, PortAttr, ProgramOp, StreamOp, register_instruction_op

__all__ = [
    "OPS",
    "InstructionOp",
    "Isa",
    "PortAttr",
    "ProgramOp",
    "StreamOp",
    "instruction_op",
    "register_instruction_op",
]
