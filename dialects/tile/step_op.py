"""The base of the steps of a tile program: layers, copies and computations."""

from __future__ import annotations

from functools import cache

from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import traits_def
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind

from ...backends.diagnostics.diagnostic import DiagnosticError
from ..ir.text.constructed_op import ConstructedOp
from .buffer import buffer_of


class AccessesBuffers(MemoryEffect):
    """Says that an op reads and writes the buffers that its class names as read and written, or the buffers that these
    are views of, and has no other effect.
    """

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        assert isinstance(op, StepOp)
        read = {EffectInstance(MemoryEffectKind.READ, buffer_of(x)) for x in op.buffers_read}
        return read | {EffectInstance(MemoryEffectKind.WRITE, buffer_of(op.buffer_written))}


class StepOp(ConstructedOp):
    """Base of the ops of a tile.program that do something; the other ops declare its buffers and views
    of them.
    """

    traits = traits_def(AccessesBuffers())

    @property
    def buffer_written(self) -> SSAValue:
        """The buffer or view that the op writes: its operand DESTINATION.

        Raises DiagnosticError if the op writes no buffer, because a program could not see any effect of it.
        """
        if self.DESTINATION is None:
            raise DiagnosticError(f"{self.name} cannot stand in a tile.program")
        return getattr(self, self.DESTINATION)

    @property
    def buffers_read(self) -> tuple[SSAValue, ...]:
        """The buffers and views that the op reads: all operands except the one that it writes."""
        values = [getattr(self, name) for name in _names_read(type(self))]
        return tuple([value for value in values if value is not None])

    @property
    def core_number(self) -> int | None:
        """The core that runs the op; None for a layer that has no core yet."""
        core = self.properties.get("core")
        return core.value.data if isinstance(core, IntegerAttr) else None

    @property
    def tpu_name(self) -> str | None:
        """The name of the `tpu` result of which the op computes a part; None if that is not known."""
        origin = self.properties.get("origin")
        return origin.data if isinstance(origin, StringAttr) else None


@cache
def _names_read(cls: type[StepOp]) -> tuple[str, ...]:
    """Return the fields of all operands except the one that is written."""
    operands = cls.get_irdl_definition().operands
    return tuple(name for name, _ in operands if name != cls.DESTINATION)
