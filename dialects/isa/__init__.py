"""The isa dialect: one op per machine instruction, one listing per core; see `ops.py`, and
`line.py` for the text.
"""

from .ops import OPS, InstructionOp, Isa, PortAttr, ProgramOp, StreamOp, instruction_op

__all__ = ["OPS", "InstructionOp", "Isa", "PortAttr", "ProgramOp", "StreamOp", "instruction_op"]
