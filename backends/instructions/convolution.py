"""The instructions of convolutions, on the matrix and the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.convolution import conv2d, depthwise_conv2d
from ..numerics.rounding_up import ceil_div
from ..numerics.storage import bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, accumulators, local, local_rows
from .fields import IMAGES, PACKED_WEIGHTS, PRODUCT, WINDOW, Field, integer
from .instruction import Instruction
from .product import depth_rows, product_reads, rate_type, weight_bytes
from .rules import MULTIPLY, ON_VECTOR_UNIT, PACKED, WINDOWS, Rule, at_most

if TYPE_CHECKING:
    from ..targets.systolic import Folds
    from ..targets.target import Target


_CONV_FIELDS: tuple[Field, ...] = (
    *PRODUCT,
    *IMAGES,
    integer("in_channels", "<u4", "channels"),
    integer("in_pitch", "<u4", "elements per input pixel"),
    integer("out_height", "<u2", "pixels"),
    integer("out_width", "<u2", "pixels"),
    integer("out_channels", "<u4", "channels"),
    integer("out_pitch", "<u4", "elements per output pixel"),
    *WINDOW,
    integer("pad_value", "<i2", "storage value of a padding pixel", 0),
    integer("groups", "<u4", "groups", 1),
    integer("block", "<u4", "output channels per weight block"),
    *PACKED_WEIGHTS,
)

_CONV_RULES: tuple[Rule, ...] = (
    *MULTIPLY,
    *PACKED,
    *WINDOWS,
    at_most("in_channels", "in_pitch"),
    at_most("out_channels", "out_pitch"),
)


def _conv_output_bytes(f: Mapping[str, Any]) -> int:
    pixels = f["batch"] * f["out_height"] * f["out_width"]
    return bytes_of(pixels * f["out_pitch"], f["acc_type"])


def _input_pixels(f: Mapping[str, Any]) -> Any:
    return f["batch"] * f["in_height"] * f["in_width"]


def _conv_accesses(f: Mapping[str, Any], weight_rows: int) -> tuple[Access, ...]:
    pixels = _input_pixels(f)
    result = [
        local_rows(f["x"], pixels, f["in_pitch"], f["in_channels"], f["type"]),
        local(f["w"], weight_bytes(f, weight_rows)),
        accumulators(f["acc"], _conv_output_bytes(f), write=True),
    ]
    if f["accumulate"]:
        result.append(accumulators(f["acc"], _conv_output_bytes(f)))
    return tuple(result)


class Conv2d(Instruction):
    """One tile of a convolution on the matrix unit: acc[n,y,x,o] (+)= Σ x[n,y·s+i·d−p,x·s+j·d−p,c]
    · w[i,j,c,o].

    With `w_type` the unit unpacks the weights on their way from the local memory, and with `w_group`
    multiplies each by the scale of its group.

    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10,
        in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16,
        kernel_height=3, kernel_width=3, pad_value=-3, block=64
    """

    mnemonic, opcode, engine = "conv2d", 16, "matrix"
    numerics = staticmethod(conv2d)
    fields = _CONV_FIELDS
    counted_type = staticmethod(rate_type)
    rules = (
        *_CONV_RULES,
        ("in_channels a multiple of groups", lambda f: f["in_channels"] % f["groups"] == 0),
        ("out_channels a multiple of groups", lambda f: f["out_channels"] % f["groups"] == 0),
    )

    @staticmethod
    def folds(f: Mapping[str, Any], target: Target) -> Folds[Any]:
        groups = f["groups"]
        return formulas.matrix_folds(
            target, rate_type(f), f["w_type"], f["w_group"],
            m=f["batch"] * f["out_height"] * f["out_width"],
            k=f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // groups),
            n=ceil_div(f["out_channels"], groups),
            repeat=groups,
        )  # fmt: skip

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return Conv2d.folds(f, target).cycles(target.matrix.rows, target.matrix.overlap)

    @staticmethod
    def multiply_accumulates(f: Mapping[str, Any]) -> int:
        outputs = f["batch"] * f["out_height"] * f["out_width"] * f["out_channels"]
        return outputs * f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // f["groups"])

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        taps = f["kernel_height"] * f["kernel_width"]
        depth = depth_rows(f, f["in_channels"] // f["groups"])
        return _conv_accesses(f, ceil_div(f["out_channels"], f["block"]) * taps * depth)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, _input_pixels(f) * f["in_pitch"], Conv2d.accesses(f))


class DepthwiseConv2d(Instruction):
    """One tile of a depthwise convolution on the vector unit; output channel o reads input channel
    o·in/out.

    With `w_type` the unit unpacks the weights as it reads them.

    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1,
        in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8,
        out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=64
    """

    mnemonic, opcode, engine = "depthwise_conv2d", 17, "vector"
    numerics = staticmethod(depthwise_conv2d)
    fields = _CONV_FIELDS
    rules = (
        *_CONV_RULES,
        (
            "out_channels a multiple of in_channels",
            lambda f: f["out_channels"] % f["in_channels"] == 0,
        ),
        at_most("out_channels", "block"),
        ON_VECTOR_UNIT,
        ("w_group 0", lambda f: not f["w_group"]),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["batch"] * f["out_height"] * f["out_width"] * f["out_pitch"]
        taps = f["kernel_height"] * f["kernel_width"]
        operations = taps * target.vector.operations_of("depthwise_conv2d")
        formulas.check_unpacks(target, f["w_type"])
        return formulas.vector_cycles(target, f["type"], elements, operations)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return _conv_accesses(f, f["kernel_height"] * f["kernel_width"])

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, _input_pixels(f) * f["in_pitch"], DepthwiseConv2d.accesses(f))
