"""The base of the instruction classes; see instruction.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .access import Access, Operand
from .fields import Engine, Field

if TYPE_CHECKING:
    import numpy as np

    from ..targets.target import Target


class Instruction:
    """Base of the instruction classes; never instantiated: an instruction's value is a mapping of
    its fields.

    `numerics` names the function of `backends/numerics/device/functions.py` that computes it, or is one (None:
    data movement, done by the simulator): it takes the operands that `reads(f)` lists as arrays, and
    all other fields as keywords, and gives what is written. `cycles(f, target)` gives the engine's busy time in cycles,
    for DMA the time apart from the shared-bandwidth transfer itself. `accesses(f)` gives the bytes
    read and written. `f` maps field names to plain Python numbers; storage and enum fields are
    their names (strings). Both are arithmetic that also takes columns of numbers, and gives columns
    (`instruction_columns.py`): they may choose by names, flags, `present` and the peer core only.
    """

    mnemonic: ClassVar[str]
    opcode: ClassVar[int]
    engine: ClassVar[Engine | None]
    """None: the instruction may stand in any engine's queue (sync)."""
    fields: ClassVar[tuple[Field, ...]] = ()
    numerics: ClassVar[str | Callable[..., np.ndarray] | None] = None

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        """Busy time of the engine in cycles."""
        raise NotImplementedError

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        """The bytes that the instruction reads and writes."""
        raise NotImplementedError

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        """The operands that are read, whole rows of their pitch; `f` has numbers only."""
        return ()


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)
