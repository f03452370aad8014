"""The tile op of what the host computes on buffers in global memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.dialects.builtin import DictionaryAttr, StringAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.functions.call import Call
from ...backends.numerics.functions.function import FunctionError, TensorKind
from ..ir.attribute import Integer, integer, optional_dictionary, plain_values, text
from ..ir.field import buffer, buffer_list, prop
from ..quant.element_type import shape_of
from .buffer import GlobalOp
from .checks import fail_unless, space_of, storage_of
from .core_op import CoreOp, Fields, Translation


@irdl_op_definition
class HostCallOp(CoreOp):
    """The result number `result` of a named function of dense buffers in global memory, computed by the host, while the
    core waits; see isa.host_call. Functions and attributes are those of top.call.

    The host reads weights where they lie in the program, at no transfer. It takes the other operands of one call from
    one range of memory, the frame, in which they lie one after the other, each at the next multiple of 64 bytes:
    tile-assign-addresses places them so. So they are in one segment, and a buffer is one of several operands of one
    frame at most.

    tile.host_call core 0 %x -> %out function = "argmax" attributes = {axis = 1} :
        memref<1x10xf32, "global"> -> memref<1x1xi64, "global">
    """

    name = "tile.host_call"
    inputs: Sequence[SSAValue] = buffer_list()
    out: SSAValue = buffer()
    function: StringAttr = prop(converter=text)
    given: DictionaryAttr | None = prop(
        converter=optional_dictionary, default=None, alias="attributes"
    )
    result: Integer = prop(converter=integer, default=0)
    DESTINATION: ClassVar[str | None] = "out"

    @property
    def buffers_read(self) -> tuple[SSAValue, ...]:
        return tuple(self.inputs)

    @property
    def framed(self) -> tuple[SSAValue, ...]:
        """The operands that the host takes from the frame: those that are no weights, or the first if all are."""
        computed = tuple(value for value in self.inputs if not is_weights(value))
        return computed or tuple(self.inputs[:1])

    def call(self) -> Call:
        """Return the call, with the addresses that weights have, 0 where they have none yet. Raises FunctionError if
        the function does not take the operands.
        """
        kinds = [TensorKind(shape_of(value), storage_of(value)) for value in self.inputs]
        attributes = plain_values(self.given)
        call = Call.of(self.function.data, kinds, attributes, self.result.value.data)
        framed = self.framed
        return call.placed([None if value in framed else _address(value) for value in self.inputs])

    def verify_fields(self) -> None:
        for name, value in (
            *((f"inputs[{i}]", x) for i, x in enumerate(self.inputs)),
            ("out", self.out),
        ):
            space = space_of(value)
            fail_unless(
                space == "global", f'{name} must be in memory space "global", is in "{space}"'
            )
        try:
            expected = self.call().result_kind
        except FunctionError as error:
            raise VerifyException(str(error)) from None
        found = TensorKind(shape_of(self.out), storage_of(self.out))
        fail_unless(found == expected, f"out is {found}, the function gives {expected}")
        framed = self.framed
        if len(framed) > 1:
            owners = [value.owner for value in framed]
            segments = [each.segment.data for each in owners if isinstance(each, GlobalOp)]
            fail_unless(
                len(set(segments)) == 1,
                "the operands of a call that are no weights lie side by side in one segment, these are in "
                f"{', '.join(segments)}",
            )
            if len(set(framed)) != len(framed):
                raise VerifyException("a buffer is two operands of the call: copy it")

    def instruction(self) -> Translation:
        """Return the instruction as if the call were the first of the program; convert-tile-to-isa numbers calls."""
        call, operands = self.call(), {"x": self.framed[0], "out": self.out}
        fields: Fields = {
            "call": 1,
            "x_bytes": call.frame_bytes,
            "out_bytes": call.result_kind.size_bytes,
        }
        for name, value in operands.items():
            owner = value.owner
            assert isinstance(owner, GlobalOp), "the verifier asks for buffers of global memory"
            fields[f"{name}_segment"] = owner.segment.data
        return "host_call", fields, operands


def is_weights(value: SSAValue) -> bool:
    """Tell whether a buffer holds constants of the program."""
    return isinstance(value.owner, GlobalOp) and value.owner.segment.data == "weights"


def _address(value: SSAValue) -> int:
    owner = value.owner
    assert isinstance(owner, GlobalOp)
    return 0 if owner.address is None else owner.address.value.data
