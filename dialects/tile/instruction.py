"""Which instruction a tile computation is, and the values of its fields apart from addresses.

The tile interpreter executes these with the device's functions, and the conversion to isa puts
addresses to them: so both mean the same.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from xdsl.ir import Operation, SSAValue

from ...backends.numerics.host import FLAGS
from .. import tile
from ..ir.attribute import values_of
from ..quant.element_type import element_storage, shape_of

Fields = dict[str, Any]
Operands = dict[str, SSAValue]


def instruction_of(op: Operation) -> tuple[str, Fields, Operands]:
    """Mnemonic, fields and operands of the instruction for a computation (not a copy, layer or
    declaration).

    The fields are those of the instruction in `backends/instructions/instruction_set.py` but for the addresses:
    integers, reals, storage types and enums by name. The operands map each address field to its
    buffer; what is not there is left out. ValueError for other ops.
    """
    make = _INSTRUCTIONS.get(type(op))
    if make is None:
        found = op.instruction() if isinstance(op, tile.CoreOp) else None
        if found is not None:
            return found
        raise ValueError(f"{op.name} is no computation of a core")
    return make(op)


def _storage(value: SSAValue) -> str:
    return element_storage(value.type)


def _pitch(value: SSAValue) -> int:
    return shape_of(value)[-1]


def _rows(value: SSAValue) -> int:
    return prod(shape_of(value)[:-1])


def _zero_points(op: Any) -> dict[str, int]:
    zero_in, zero_out = values_of(op.zero_points)
    return {"zero_point_in": zero_in, "zero_point_out": zero_out}


def _clamp(op: Any) -> dict[str, float]:
    low, high = values_of(op.clamp)
    return {"clamp_low": low, "clamp_high": high}


def _multiplier(op: Any) -> dict[str, int]:
    return {"multiplier": op.multiplier.value.data, "shift": op.shift.value.data}


def _pairs(*names: tuple[str, Any]) -> dict[str, int]:
    """Fields `<name>_height` and `<name>_width` from lists of two."""
    fields: dict[str, int] = {}
    for name, values in names:
        fields[f"{name}_height"], fields[f"{name}_width"] = values_of(values)
    return fields


def _fill(op: tile.FillOp) -> tuple[str, Fields, Operands]:
    target = op.target
    fields = {
        "count": prod(shape_of(target)),
        "type": _storage(target),
        "value": op.value.value.data,
    }
    return "fill", fields, {"dst": target}


def _convolution(op: tile.Conv2dOp | tile.DepthwiseConv2dOp) -> tuple[str, Fields, Operands]:
    batch, in_height, in_width, in_pitch = shape_of(op.x)
    _, out_height, out_width, out_pitch = shape_of(op.acc)
    in_channels, out_channels = values_of(op.channels)
    pad_top, pad_left = values_of(op.pads)
    fields = {
        "type": _storage(op.x),
        "acc_type": _storage(op.acc),
        "accumulate": int(op.accumulate is not None),
        "batch": batch,
        "in_height": in_height,
        "in_width": in_width,
        "in_channels": in_channels,
        "in_pitch": in_pitch,
        "out_height": out_height,
        "out_width": out_width,
        "out_channels": out_channels,
        "out_pitch": out_pitch,
        **_pairs(("kernel", op.kernel), ("stride", op.strides), ("dilation", op.dilations)),
        "pad_top": pad_top,
        "pad_left": pad_left,
        "pad_value": op.pad_value.value.data,
        "groups": op.groups.value.data,
        "block": _pitch(op.w),
    }
    return op.name.removeprefix("tile."), fields, {"x": op.x, "w": op.w, "acc": op.acc}


def _matmul(op: tile.MatmulOp) -> tuple[str, Fields, Operands]:
    batch, rows, x_pitch = shape_of(op.x)
    matrices = shape_of(op.w)[0]
    x_zero_point, w_zero_point = values_of(op.zero_points)
    fields = {
        "type": _storage(op.x),
        "acc_type": _storage(op.acc),
        "accumulate": int(op.accumulate is not None),
        "batch": batch,
        "m": rows,
        "k": op.depth.value.data,
        "n": op.columns.value.data,
        "x_pitch": x_pitch,
        "out_pitch": _pitch(op.acc),
        "block": _pitch(op.w),
        "shared_w": int(matrices == 1),
        "transpose_w": int(op.transpose_w is not None),
        "x_zero_point": x_zero_point,
        "w_zero_point": w_zero_point,
    }
    return "matmul", fields, {"x": op.x, "w": op.w, "acc": op.acc}


def _epilogue(op: tile.EpilogueOp) -> tuple[str, Fields, Operands]:
    residual_zero_point, zero_point = values_of(op.zero_points)
    operands: Operands = {"acc": op.acc, "out": op.out, "table": op.table}
    if op.residual is not None:
        operands["residual"] = op.residual
    fields = {
        "acc_type": _storage(op.acc),
        "type": _storage(op.out),
        "rows": _rows(op.out),
        "channels": op.channels.value.data,
        "acc_pitch": _pitch(op.acc),
        "out_pitch": _pitch(op.out),
        "table_pitch": _pitch(op.table),
        "residual_pitch": 0 if op.residual is None else _pitch(op.residual),
        "residual_zero_point": residual_zero_point,
        "zero_point": zero_point,
        **_clamp(op),
    }
    return "epilogue", fields, operands


def _convert(op: tile.ConvertOp) -> tuple[str, Fields, Operands]:
    fields = {
        "in_type": _storage(op.x),
        "out_type": _storage(op.out),
        "rows": _rows(op.x),
        "columns": op.columns.value.data,
        "in_pitch": _pitch(op.x),
        "out_pitch": _pitch(op.out),
        "scale": op.scale.value.data,
        **_multiplier(op),
        **_zero_points(op),
        **_clamp(op),
    }
    return "convert", fields, {"x": op.x, "out": op.out}


def broadcast_strides(shape: tuple[int, ...], rank: int) -> list[int]:
    """Strides in elements of a dense row-major `shape`, aligned at the last of `rank` axes; 0 where
    an axis repeats.
    """
    strides = [0] * rank
    step = 1
    for axis in range(1, len(shape) + 1):
        if shape[-axis] > 1:
            strides[-axis] = step
        step *= shape[-axis]
    return strides


def _broadcast(out: SSAValue, **operands: SSAValue) -> Fields:
    """Sizes of the output's four axes, and the strides with which the operands are read."""
    shape = shape_of(out)
    sizes = [1] * (4 - len(shape)) + list(shape)
    fields: Fields = {f"size{d}": size for d, size in enumerate(sizes)}
    for name, value in operands.items():
        strides = broadcast_strides(shape_of(value), 4)
        fields |= {f"{name}_stride{d}": stride for d, stride in enumerate(strides)}
    return fields


def _binary(op: tile.BinaryOp) -> tuple[str, Fields, Operands]:
    a_zero_point, b_zero_point, zero_point = values_of(op.zero_points)
    a_multiplier, b_multiplier = values_of(op.multipliers)
    fields: Fields = {
        "kind": op.kind.data,
        "type": _storage(op.a),
        **_broadcast(op.out, a=op.a, b=op.b),
        "a_zero_point": a_zero_point,
        "b_zero_point": b_zero_point,
        "zero_point": zero_point,
        "a_multiplier": a_multiplier,
        "b_multiplier": b_multiplier,
        "shift": op.shift.value.data,
        **_clamp(op),
    }
    return "binary", fields, {"a": op.a, "b": op.b, "out": op.out}


def _select(op: tile.SelectOp) -> tuple[str, Fields, Operands]:
    operands: Operands = {"condition": op.condition, "a": op.a, "b": op.b}
    fields = {"type": _storage(op.out), **_broadcast(op.out, **operands)}
    return "select", fields, {**operands, "out": op.out}


def _row_fields(op: tile.UnaryOp | tile.LookupOp) -> Fields:
    return {
        "rows": _rows(op.x),
        "columns": op.columns.value.data,
        "in_pitch": _pitch(op.x),
        "out_pitch": _pitch(op.out),
    }


def _unary(op: tile.UnaryOp) -> tuple[str, Fields, Operands]:
    fields = {
        "kind": op.kind.data,
        "type": _storage(op.x),
        **_row_fields(op),
        "alpha": op.alpha.value.data,
        "beta": op.beta.value.data,
        **_clamp(op),
    }
    return "unary", fields, {"x": op.x, "out": op.out}


def _lookup(op: tile.LookupOp) -> tuple[str, Fields, Operands]:
    fields = {
        "in_type": _storage(op.x),
        "out_type": _storage(op.out),
        **_row_fields(op),
        "zero_point": op.zero_point.value.data,
    }
    return "lookup", fields, {"x": op.x, "table": op.table, "out": op.out}


def _pool(op: tile.PoolOp) -> tuple[str, Fields, Operands]:
    batch, in_height, in_width, pitch = shape_of(op.x)
    _, out_height, out_width, _ = shape_of(op.out)
    sides = ("pad_top", "pad_left", "pad_bottom", "pad_right")
    fields = {
        "kind": op.kind.data,
        "type": _storage(op.x),
        "count_include_pad": int(op.count_include_pad is not None),
        "batch": batch,
        "in_height": in_height,
        "in_width": in_width,
        "out_height": out_height,
        "out_width": out_width,
        "pitch": pitch,
        **_pairs(("kernel", op.kernel), ("stride", op.strides), ("dilation", op.dilations)),
        **dict(zip(sides, values_of(op.pads), strict=True)),
        **_multiplier(op),
        **_zero_points(op),
        **_clamp(op),
    }
    return "pool", fields, {"x": op.x, "out": op.out}


def _reduce(op: tile.ReduceOp) -> tuple[str, Fields, Operands]:
    outer, length, inner = values_of(op.sizes)
    outer_stride, length_stride = values_of(op.strides)
    fields = {
        "kind": op.kind.data,
        "type": _storage(op.x),
        "outer": outer,
        "length": length,
        "inner": inner,
        "outer_stride": outer_stride,
        "length_stride": length_stride,
        "out_pitch": _pitch(op.out),
        **_multiplier(op),
        **_zero_points(op),
        **_clamp(op),
    }
    return "reduce", fields, {"x": op.x, "out": op.out}


def _resample(op: tile.ResampleOp) -> tuple[str, Fields, Operands]:
    shape, axis = shape_of(op.x), op.axis.value.data
    operands: Operands = {"x": op.x, "out": op.out, "index": op.index}
    if op.weight is not None:
        operands["weight"] = op.weight
    fields = {
        "type": _storage(op.x),
        "outer": prod(shape[:axis]),
        "in_length": shape[axis],
        "out_length": shape_of(op.out)[axis],
        "inner": prod(shape[axis + 1 :]),
        "taps": shape_of(op.index)[1],
        "gather": int(op.weight is None),
    }
    return "resample", fields, operands


def _softmax(op: tile.SoftmaxOp) -> tuple[str, Fields, Operands]:
    fields = {
        "type": _storage(op.x),
        "log": int(op.log is not None),
        "rows": _rows(op.x),
        "columns": op.columns.value.data,
        "in_pitch": _pitch(op.x),
        "out_pitch": _pitch(op.out),
    }
    return "softmax", fields, {"x": op.x, "out": op.out}


def _normalize(op: tile.NormalizeOp) -> tuple[str, Fields, Operands]:
    fields = {
        "kind": op.kind.data,
        "type": _storage(op.x),
        "rows": _rows(op.x),
        "length": op.length.value.data,
        "inner": op.inner.value.data,
        "pitch": _pitch(op.x),
        "epsilon": op.epsilon.value.data,
    }
    operands: Operands = {"x": op.x, "out": op.out}
    if op.parameters is not None:
        operands["parameters"] = op.parameters
        _, rows, length, inner = shape_of(op.parameters)
        fields |= {
            "parameter_rows": rows,
            "parameter_length": length,
            "parameter_inner": inner,
        }
    return "normalize", fields, operands


def _local_response_norm(op: tile.LocalResponseNormOp) -> tuple[str, Fields, Operands]:
    fields = {
        "type": _storage(op.x),
        "rows": _rows(op.x),
        "columns": op.columns.value.data,
        "in_pitch": _pitch(op.x),
        "out_pitch": _pitch(op.out),
        "size": op.size.value.data,
        "alpha": op.alpha.value.data,
        "beta": op.beta.value.data,
        "offset": op.offset.value.data,
    }
    return "local_response_norm", fields, {"x": op.x, "out": op.out}


def _host_call(op: tile.HostCallOp) -> tuple[str, Fields, Operands]:
    fields: Fields = {
        "function": op.function.data,
        "type": _storage(op.x),
        "out_type": _storage(op.out),
        **dict(zip(("outer", "length", "inner", "out_length"), values_of(op.sizes), strict=True)),
        **{name: int(getattr(op, name) is not None) for name in FLAGS},
    }
    for name, value in (("x", op.x), ("out", op.out)):
        assert isinstance(value.owner, tile.GlobalOp), (
            "the verifier asks for buffers of global memory"
        )
        fields[f"{name}_segment"] = value.owner.segment.data
    return "host_call", fields, {"x": op.x, "out": op.out}


_INSTRUCTIONS: dict[type[Operation], Callable[[Any], tuple[str, Fields, Operands]]] = {
    tile.FillOp: _fill,
    tile.Conv2dOp: _convolution,
    tile.DepthwiseConv2dOp: _convolution,
    tile.MatmulOp: _matmul,
    tile.EpilogueOp: _epilogue,
    tile.ConvertOp: _convert,
    tile.BinaryOp: _binary,
    tile.SelectOp: _select,
    tile.UnaryOp: _unary,
    tile.LookupOp: _lookup,
    tile.PoolOp: _pool,
    tile.ReduceOp: _reduce,
    tile.ResampleOp: _resample,
    tile.SoftmaxOp: _softmax,
    tile.NormalizeOp: _normalize,
    tile.HostCallOp: _host_call,
    tile.LocalResponseNormOp: _local_response_norm,
}
