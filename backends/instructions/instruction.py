"""The base of the instruction classes: everything that is known of an instruction is in its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .access import Access, Operand
from .fields import Engine, Field
from .rules import Rule

if TYPE_CHECKING:
    import numpy as np

    from ..targets.systolic import Folds
    from ..targets.target import Target


class Instruction:
    """Base of the instruction classes; never instantiated: an instruction's value is a mapping of
    its fields.

    `f` maps field names to plain Python numbers; storage and enum fields are their names (strings).
    `cycles`, `folds`, `accesses` and `multiply_accumulates` are arithmetic that also takes columns of numbers,
    and gives columns (`columns.py`): they may choose by names, flags, `present` and the peer core only.
    """

    mnemonic: ClassVar[str]
    opcode: ClassVar[int]
    engine: ClassVar[Engine | None]
    """None: the instruction may stand in any engine's queue (sync)."""
    fields: ClassVar[tuple[Field, ...]] = ()
    rules: ClassVar[tuple[Rule, ...]] = ()
    """What must hold between the fields. Besides, no storage field may be "none", and every count is at least 1
    (`field_range.py`)."""
    numerics: ClassVar[Callable[..., np.ndarray] | None] = None
    """The function that computes the instruction's values, or None if the simulator moves the data itself.

    It takes the operands that `reads(f)` lists as arrays, and all other fields as keywords, and returns what is
    written. The functions of Smalti's own instructions are in `backends/numerics/device/`.
    """

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        """Count the cycles for which the engine is busy; for DMA apart from the shared-bandwidth
        transfer itself.
        """
        raise NotImplementedError

    @staticmethod
    def folds(f: Mapping[str, Any], target: Target) -> Folds[Any] | None:
        """Return what a matrix instruction streams through the array, whose cycles its `cycles` are, or None.

        With it the unit overlaps this instruction's first load and last drain with its neighbors;
        without it, it runs the instruction alone.
        """
        return None

    @staticmethod
    def multiply_accumulates(f: Mapping[str, Any]) -> int:
        """Count the multiply-accumulates of the matrix unit: those that the network needs, whatever
        the unit makes of padding.
        """
        return 0

    @staticmethod
    def counted_type(f: Mapping[str, Any]) -> str:
        """Return the storage type that determines the rate, lanes and energy of the matrix or vector unit's work."""
        return f["type"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        """List the bytes that the instruction reads and writes."""
        raise NotImplementedError

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        """List the operands that are read, whole rows of their pitch; `f` has numbers only."""
        return ()
