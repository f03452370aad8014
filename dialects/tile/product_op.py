"""The base of the tile ops of convolutions and matrix products, and the form of their packed weights."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.rounding_up import ceil_div
from ...backends.numerics.storage import (
    INTEGER_ACCUMULATOR_NAMES,
    INTEGER_OPERAND_NAMES,
    is_float,
)
from ..ir.field import buffer
from .checks import check_space, check_storage, pitch_of, storage_of
from .core_op import CoreOp, Fields, Operands


class ProductOp(CoreOp):
    """Base of the ops that sum products of x and w in the accumulator memory. If a subclass has a flag `accumulate` and
    it is set, the sums are added to the contents of acc.
    """

    x: SSAValue = buffer()
    w: SSAValue = buffer()
    acc: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "acc"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x"})

    @property
    def is_accumulating(self) -> bool:
        """Whether the sums are added to the contents of acc."""
        return "accumulate" in self.properties

    @property
    def buffers_read(self) -> tuple[SSAValue, ...]:
        return (self.x, self.w, self.acc) if self.is_accumulating else (self.x, self.w)

    def verify_product(self) -> None:
        """Raise VerifyException if operands are in the wrong memories or have the wrong storage types."""
        check_space(self, "x", "local")
        check_space(self, "w", "local")
        check_space(self, "acc", "acc")
        storage = storage_of(self.x)
        check_storage("w", self.w, storage)
        if is_float(storage):
            check_storage("acc", self.acc, "f32")
        else:
            check_storage("x", self.x, *INTEGER_OPERAND_NAMES)
            check_storage("acc", self.acc, *INTEGER_ACCUMULATOR_NAMES)

    def product_fields(self) -> Fields:
        """Return the fields that the instructions of all products have."""
        return {
            "type": storage_of(self.x),
            "acc_type": storage_of(self.acc),
            "accumulate": int(self.is_accumulating),
            "block": pitch_of(self.w),
        }

    def product_operands(self) -> Operands:
        """Return the buffers, each under the name of its address field."""
        return {"x": self.x, "w": self.w, "acc": self.acc}


def check_packed_weights(shape: tuple[int, ...], depth: int, outputs: int) -> None:
    """Raise VerifyException unless `shape` is [blocks, depth, block], with as many blocks as the outputs need; the
    depth may be split into several axes.
    """
    if len(shape) < 3 or prod(shape[1:-1]) != depth:
        raise VerifyException(f"w must have shape [blocks, {depth}, block], has {list(shape)}")
    count, block = shape[0], shape[-1]
    blocks = ceil_div(outputs, block)
    if count != blocks:
        raise VerifyException(
            f"w must have {blocks} blocks of {block} for {outputs} columns, has {count}"
        )
