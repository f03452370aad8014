"""The base of the tile ops of convolutions and matrix products, and the form of their packed weights."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.device.group_scales import stored_rows
from ...backends.numerics.packing import elements_of_bytes, packed_bytes
from ...backends.numerics.rounding_up import ceil_div
from ...backends.numerics.storage import (
    INTEGER_ACCUMULATOR_NAMES,
    INTEGER_OPERAND_NAMES,
    PACKED_NAMES,
    is_float,
    sums_floats,
    takes_weights,
)
from ..ir.attribute import Integer, flag, optional_integer, optional_text
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import check_space, check_storage, pitch_of, storage_of
from .core_op import CoreOp, Fields, Operands


class ProductOp(CoreOp):
    """Base of the ops that sum products of x and w in the accumulator memory. If a subclass has a flag `accumulate` and
    it is set, the sums are added to the contents of acc.

    With `packed = "i4"` w holds rows of bytes, ui8, with two weights in each, the first in its low bits; the weights of
    a row begin at a byte of their own. A row has `block` weights, an even number if that is not given. The unit unpacks
    them on their way from the local memory. Weights of i8 may meet wider and unsigned inputs, too. Where inputs are
    floats, integers are multiplied as the same floats, and the epilogue multiplies the sums by the weights' scales.
    With `narrow`, x holds numbers of no more bits than packed weights, one in each element, and the product goes at the
    rate of the weights' type. With `group` packed weights come with a scale for so many input channels of each column,
    by which the unit multiplies them: the scales of a group stand in rows of w before its weights, as u8 beside
    integers, else as numbers of x's type.
    """

    packed: StringAttr | None = prop(converter=optional_text, default=None)
    block: Integer | None = prop(converter=optional_integer, default=None)
    narrow: UnitAttr | None = prop(converter=flag, default=False)
    group: Integer | None = prop(converter=optional_integer, default=None)

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
        self._verify_packing(storage)
        if sums_floats(storage):
            check_storage("acc", self.acc, "f32")
        else:
            check_storage("x", self.x, *INTEGER_OPERAND_NAMES)
            check_storage("acc", self.acc, *INTEGER_ACCUMULATOR_NAMES)

    def _verify_packing(self, storage: str) -> None:
        """Raise VerifyException unless the weights are stored as the inputs are, or packed."""
        if self.packed is None:
            others = ("i8",) if takes_weights(storage, "i8") else ()
            check_storage("w", self.w, storage, *others)
            for name in ("narrow", "block", "group"):
                if getattr(self, name) is not None:
                    raise VerifyException(f"'{name}' is for products with packed weights")
            return
        if not takes_weights(storage, self.packed.data) and self.packed.data in PACKED_NAMES:
            raise VerifyException(f"inputs of {storage} do not meet packed weights")
        if self.packed.data not in PACKED_NAMES:
            known = " or ".join(PACKED_NAMES)
            raise VerifyException(f"weights are packed as {known}, got '{self.packed.data}'")
        if self.narrow is not None and is_float(storage):
            raise VerifyException(f"inputs of {storage} are not narrow")
        if self.group_size and self.narrow is not None:
            raise VerifyException("products of weights with scales of groups are not narrow")
        if self.group is not None and self.group_size < 1:
            raise VerifyException(f"a group has at least 1 row, not {self.group_size}")
        check_storage("w", self.w, "u8")
        needed = packed_bytes(self.row_weights, self.packed.data)
        if needed != pitch_of(self.w):
            raise VerifyException(
                f"a row of {self.row_weights} weights takes {needed} bytes, w has {pitch_of(self.w)}"
            )

    @property
    def weight_type(self) -> str:
        """The storage type of the weights if it is not that of the inputs, else "none"."""
        if self.packed is not None:
            return self.packed.data
        own = storage_of(self.w)
        return "none" if own == storage_of(self.x) else own

    @property
    def group_size(self) -> int:
        """How many input channels of a column share a scale; 0 if there are no such scales."""
        return 0 if self.group is None else self.group.value.data

    def stored_rows(self, depth: int) -> int:
        """Return how many rows of w `depth` input channels take, with the rows of scales among them."""
        return stored_rows(depth, self.group_size, storage_of(self.x), self.weight_type)

    @property
    def row_weights(self) -> int:
        """How many weights a row of w has, padding included: the columns of a block."""
        if self.block is not None:
            return self.block.value.data
        pitch = pitch_of(self.w)
        return pitch if self.packed is None else elements_of_bytes(pitch, self.packed.data)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """The shape of w, counted in weights."""
        return (*shape_of(self.w)[:-1], self.row_weights)

    def product_fields(self) -> Fields:
        """Return the fields that the instructions of all products have."""
        return {
            "type": storage_of(self.x),
            "acc_type": storage_of(self.acc),
            "accumulate": int(self.is_accumulating),
            "block": self.row_weights,
            "w_type": self.weight_type,
            "narrow_x": int(self.narrow is not None),
            "w_group": self.group_size,
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
