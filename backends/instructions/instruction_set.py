"""The instruction set: one small class per machine instruction, and everything that is derived from
it.

A class says which engine runs the instruction, its fields with their widths and units, what must hold
between them, the function of `backends/numerics/device/` that defines its values, how many cycles it takes,
its multiply-accumulates, and which bytes it reads and writes. The encoding (128 bytes), the text, the
checks, the simulator and the reference page all follow from these classes. This folder knows neither
xDSL nor programs.
"""

from __future__ import annotations

import re

from ..diagnostics.diagnostic import DiagnosticError
from .access import Access
from .convolution import Conv2d, DepthwiseConv2d
from .fields import (
    ENGINE_PREFIX,
    ENGINES,
    HEADER,
    INSTRUCTION_BYTES,
    NO_ADDRESS,
    SEGMENTS,
    SPACES,
    Engine,
    Field,
)
from .host_call import HostCall
from .instruction import Instruction
from .movement import Fill, Gather, Load, Store, Sync
from .normalization import LocalResponseNorm, Normalize, Softmax
from .permutation import Permute
from .pointwise import TABLE_ENTRIES, Binary, Convert, Lookup, Select, Unary
from .pooling import Pool
from .product import Epilogue, Matmul, VectorMatmul
from .reduction import Reduce
from .resampling import Resample

__all__ = [
    "BY_MNEMONIC",
    "BY_OPCODE",
    "ENGINES",
    "ENGINE_PREFIX",
    "HEADER",
    "INSTRUCTIONS",
    "INSTRUCTION_BYTES",
    "NO_ADDRESS",
    "SEGMENTS",
    "SPACES",
    "TABLE_ENTRIES",
    "Access",
    "Binary",
    "Conv2d",
    "Convert",
    "DepthwiseConv2d",
    "Engine",
    "Epilogue",
    "Field",
    "Fill",
    "Gather",
    "HostCall",
    "Instruction",
    "Load",
    "LocalResponseNorm",
    "Lookup",
    "Matmul",
    "Normalize",
    "Permute",
    "Pool",
    "Reduce",
    "Resample",
    "Select",
    "Softmax",
    "Store",
    "Sync",
    "Unary",
    "VectorMatmul",
]  # fmt: skip

INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Load, Store, Fill, Sync, HostCall, Gather, Conv2d, DepthwiseConv2d, Matmul, Epilogue, Convert, Binary, Pool, Reduce,
    Resample, Softmax, Normalize, LocalResponseNorm, Unary, Lookup, Select, Permute,
    VectorMatmul,
)  # fmt: skip
BY_MNEMONIC: dict[str, type[Instruction]] = {i.mnemonic: i for i in INSTRUCTIONS}
BY_OPCODE: dict[int, type[Instruction]] = {i.opcode: i for i in INSTRUCTIONS}

FIRST_FREE_OPCODE = 256
"""The first opcode for instructions of plugins; smaller opcodes belong to Smalti."""
_MNEMONIC = re.compile(r"[a-z][a-z0-9_]*")


def register_instruction(cls: type[Instruction]) -> None:
    """Add an instruction to the table, for every part of Smalti that derives from it.

    Raises:
        DiagnosticError: if the mnemonic or number is taken or not allowed, the fields do not fit the word, or the class
            has no function for the values.
    """
    reason = _unfit(cls)
    if reason is not None:
        raise DiagnosticError(f"instruction class {cls.__name__} cannot be added: {reason}")
    BY_MNEMONIC[cls.mnemonic] = cls
    BY_OPCODE[cls.opcode] = cls


def _unfit(cls: type[Instruction]) -> str | None:
    """Return why a class cannot be an instruction, or None if it can."""
    if not _MNEMONIC.fullmatch(cls.mnemonic) or cls.mnemonic in BY_MNEMONIC:
        return f"its mnemonic '{cls.mnemonic}' is taken or no word of small letters"
    if not FIRST_FREE_OPCODE <= cls.opcode < 1 << 16 or cls.opcode in BY_OPCODE:
        return f"its number {cls.opcode} is taken or not from {FIRST_FREE_OPCODE} to 65535"
    if cls.engine is not None and cls.engine not in ENGINES:
        return f"its engine '{cls.engine}' is none of {', '.join(ENGINES)}"
    names = [field.name for field in (*HEADER, *cls.fields)]
    if len(set(names)) != len(names):
        return "two of its fields have one name, or that of a field of the header"
    size = sum(int(field.dtype[2:]) for field in (*HEADER, *cls.fields))
    if size > INSTRUCTION_BYTES:
        return f"with the header its fields take {size} bytes, a word has {INSTRUCTION_BYTES}"
    if not callable(cls.numerics):
        return "`numerics` is not the function that computes it"
    counted = cls.counted_type is not Instruction.counted_type
    if cls.engine in ("matrix", "vector") and not counted and "type" not in names:
        return (
            "nothing says by which storage type its work counts: a field 'type' or `counted_type`"
        )
    return None
