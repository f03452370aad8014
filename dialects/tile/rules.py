"""What the verifiers of tile check: buffers that meet in an op, boxes in buffers, windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, prod
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.instruction_set import SEGMENTS
from ...backends.numerics.host import HOST_FUNCTIONS
from ...backends.numerics.normalization import KINDS as NORMALIZATION_KINDS
from ...backends.numerics.reduction import INTEGER_KINDS
from ...backends.numerics.reduction import KINDS as REDUCTION_KINDS
from ...backends.numerics.storage import is_float
from ..ir.attribute import Ints, check_one_of, values_of
from ..quant.element_type import element_storage, shape_of
from ..tpu.tpu_op import TpuOp
from .checks import (
    ACCUMULATORS,
    ALIGNMENT_BYTES,
    POOL_KINDS,
    check_at_least_one_axis,
    check_clamp,
    check_core,
    check_local_pair,
    check_multiplier,
    check_pitch,
    check_rank,
    check_same_rows,
    check_space,
    check_storage,
    check_storage_value,
    check_zero_points,
    fail_unless,
    list_of,
    list_of_at_least,
    pitch_of,
    rows_of,
    space_of,
    storage_of,
)
from .pointwise_rules import POINTWISE_VERIFIERS

if TYPE_CHECKING:
    from .. import tile


def verify_global(op: tile.GlobalOp) -> None:
    """A global buffer: its segment, where its values come from, and a physical shape that holds the
    logical one.
    """
    fail_unless(space_of(op.output) == "global", 'result must be in memory space "global"')
    segment = op.segment.data
    check_one_of("segment", segment, SEGMENTS)
    sources = (op.key is not None) + (op.seed is not None)
    if segment == "weights":
        fail_unless(sources == 1, "a buffer of segment weights needs a key or a seed")
    else:
        fail_unless(sources == 0, f"a buffer of segment {segment} has neither key nor seed")
    shape, order = op.shape.get_values(), op.order.get_values()
    fail_unless(
        sorted(order) == list(range(len(shape))),
        f"order {list(order)} is no permutation of {len(shape)} axes",
    )
    physical, logical = shape_of(op.output), tuple(shape[axis] for axis in order)
    holds = len(physical) == len(logical) and physical[:-1] == logical[:-1]
    holds = holds and (not physical or physical[-1] >= logical[-1])
    fail_unless(
        holds, f"physical shape {list(physical)} does not hold {list(logical)}, the shape in order"
    )
    if op.address is not None:
        fail_unless(
            op.address.value.data >= 0, f"address must not be negative, got {op.address.value.data}"
        )


def verify_alloc(op: tile.AllocOp) -> None:
    """A local buffer: core, space and address."""
    check_core(op.core)
    space = space_of(op.output)
    fail_unless(space != "global", 'a core\'s buffer is in memory space "local" or "acc"')
    if space == "acc":
        check_storage("an accumulator", op.output, *ACCUMULATORS)
    if op.address is not None:
        address = op.address.value.data
        if address < 0 or address % ALIGNMENT_BYTES:
            raise VerifyException(f"address must be a multiple of {ALIGNMENT_BYTES}, got {address}")


def verify_layer(op: tile.LayerOp) -> None:
    """A layer: arguments that match the inputs, a body of tpu ops, a window inside the output."""
    check_core(op.core)
    arguments = op.body.block.args
    fail_unless(
        len(arguments) == len(op.inputs),
        f"body has {len(arguments)} arguments for {len(op.inputs)} inputs",
    )
    for index, (argument, buffer) in enumerate(zip(arguments, op.inputs, strict=True)):
        _check_logical(f"argument {index}", argument, buffer)
    for inner in op.body.block.ops:
        allowed = isinstance(inner, TpuOp) or inner is op.body.block.last_op
        fail_unless(allowed, f"body holds {inner.name}, which is no op of tpu")
    last = op.body.block.last_op
    if last is None or last.name != "tile.yield":
        raise VerifyException("body must end in tile.yield")
    value = last.operands[0]
    _check_logical("yielded value", value, op.output)
    _check_not_read_only("output", op.output)
    assert isinstance(value.type, TensorType)
    _check_window(op.window, value.type.get_shape())


def _check_window(window: Ints, shape: tuple[int, ...]) -> None:
    bounds = list_of("window", window, 2 * len(shape))
    for axis, size in enumerate(shape):
        low, high = bounds[2 * axis], bounds[2 * axis + 1]
        fail_unless(
            0 <= low < high <= size,
            f"window {low} to {high} of axis {axis} is not inside the output's 0 to {size}",
        )


def _check_logical(what: str, value: SSAValue, buffer: SSAValue) -> None:
    """A logical tensor and the buffer that holds it: same storage type, and the shape that the
    buffer declares.
    """
    if not isinstance(value.type, TensorType):
        raise VerifyException(f"{what} must be a tensor, got {value.type}")
    fail_unless(space_of(buffer) != "acc", f'{what} cannot be in memory space "acc"')
    try:
        storage = element_storage(value.type)
    except ValueError as error:
        raise VerifyException(str(error)) from None
    fail_unless(
        storage == storage_of(buffer),
        f"{what} is stored as {storage}, its buffer holds {storage_of(buffer)}",
    )
    declared = _declaration(buffer)
    if declared is not None:
        shape = declared.shape.get_values()
        fail_unless(
            value.type.get_shape() == shape,
            f"{what} has shape {list(value.type.get_shape())}, its buffer holds {list(shape)}",
        )


def _declaration(buffer: SSAValue) -> Any:
    """The tile.global that declares a buffer, None for others."""
    owner = buffer.owner
    return owner if getattr(owner, "name", None) == "tile.global" else None


def _check_not_read_only(name: str, buffer: SSAValue) -> None:
    declared = _declaration(buffer)
    if declared is not None:
        segment = declared.segment.data
        if segment in ("weights", "input"):
            raise VerifyException(f"{name} is written, but segment {segment} is read-only")


def verify_core(op: tile.CoreOp) -> None:
    """What holds for every op that a core executes: a core, real buffers, and the buffers are that
    core's.
    """
    check_core(op.core)
    for operand in op.operands:
        space_of(operand)
    if op.name == "tile.copy":
        return
    for operand in op.operands:
        owner = operand.owner
        if getattr(owner, "name", None) == "tile.alloc":
            other = owner.core.value.data  # pyright: ignore[reportAttributeAccessIssue]
            if other != op.core.value.data:
                raise VerifyException(
                    f"a buffer of core {other} is used on core {op.core.value.data}"
                )


def _verify_copy(op: tile.CopyOp) -> None:
    check_space(op, "source", "global", "local")
    check_space(op, "target", "global", "local")
    fail_unless(
        "local" in (space_of(op.source), space_of(op.target)),
        "source or target must be local memory",
    )
    check_storage("target", op.target, storage_of(op.source))
    _check_not_read_only("target", op.target)
    sizes = values_of(op.sizes)
    fail_unless(len(sizes) >= 1, "a copy needs at least one axis")
    list_of_at_least("sizes", op.sizes, len(sizes), 1)
    pad = 0 if op.pad is None else op.pad.value.data
    if pad < 0:
        raise VerifyException(f"pad must not be negative, got {pad}")
    if op.pad_value is not None:
        check_storage_value("pad value", op.pad_value.value.data, storage_of(op.target))
    _check_box("source", op.source, op.source_offset.value.data, op.source_strides, sizes, 0)
    _check_box("target", op.target, op.target_offset.value.data, op.target_strides, sizes, pad)


def _check_box(
    name: str, buffer: SSAValue, offset: int, strides: Ints, sizes: Sequence[int], pad: int
) -> None:
    """The box of elements must lie inside the buffer."""
    steps = list_of_at_least(f"{name}_strides", strides, len(sizes), 0)
    if steps[-1] != 1:
        raise VerifyException(f"the last axis of {name} must have stride 1, got {steps[-1]}")
    last = offset + sum([(n - 1) * step for n, step in zip(sizes, steps, strict=True)]) + pad
    total = prod(shape_of(buffer))
    if offset < 0 or last >= total:
        raise VerifyException(
            f"{name} box covers elements {offset} to {last}, the buffer has {total}"
        )


def _verify_fill(op: tile.FillOp) -> None:
    check_space(op, "target", "local")
    check_storage_value("value", op.value.value.data, storage_of(op.target))


def _check_product(op: Any) -> None:
    """Spaces and storage types of x, w and acc."""
    check_space(op, "x", "local")
    check_space(op, "w", "local")
    check_space(op, "acc", "acc")
    storage = storage_of(op.x)
    check_storage("w", op.w, storage)
    if is_float(storage):
        check_storage("acc", op.acc, "f32")
    else:
        check_storage("x", op.x, "i8", "u8", "i16")
        check_storage("acc", op.acc, "i32", "i64")


def _verify_convolution(op: tile.Conv2dOp | tile.DepthwiseConv2dOp) -> None:
    _check_product(op)
    batch = check_rank("x", op.x, 4)[0]
    out_batch = check_rank("acc", op.acc, 4)[0]
    if batch != out_batch:
        raise VerifyException(f"x has {batch} images, acc has {out_batch}")
    inputs, outputs = list_of_at_least("channels", op.channels, 2, 1)
    check_pitch("input channels", inputs, "x", op.x)
    check_pitch("output channels", outputs, "acc", op.acc)
    kernel = list_of_at_least("kernel", op.kernel, 2, 1)
    list_of_at_least("strides", op.strides, 2, 1)
    list_of_at_least("dilations", op.dilations, 2, 1)
    list_of_at_least("pads", op.pads, 2, 0)
    check_storage_value("pad value", op.pad_value.value.data, storage_of(op.x))
    groups = op.groups.value.data
    if op.name == "tile.depthwise_conv2d":
        fail_unless(
            groups in (1, inputs), f"groups must be 1 or the input channels {inputs}, got {groups}"
        )
        fail_unless(
            outputs % inputs == 0,
            f"{inputs} input channels do not divide {outputs} output channels",
        )
        _check_depthwise_weights(op.w, kernel, outputs)
        return
    if groups < 1 or inputs % groups or outputs % groups:
        raise VerifyException(
            f"{groups} groups do not divide {inputs} input and {outputs} output channels"
        )
    _check_packed_weights(shape_of(op.w), prod(kernel) * (inputs // groups), outputs)


def _check_depthwise_weights(w: SSAValue, kernel: Sequence[int], outputs: int) -> None:
    shape = shape_of(w)
    fail_unless(
        len(shape) >= 2 and prod(shape[:-1]) == prod(kernel) and shape[-1] >= outputs,
        f"w must have shape [{prod(kernel)}, {outputs} or more], has {list(shape)}",
    )


def _check_packed_weights(shape: tuple[int, ...], depth: int, outputs: int) -> None:
    """[blocks, depth, block] with as many blocks as the outputs need; the depth may be split into
    several axes.
    """
    if len(shape) < 3 or prod(shape[1:-1]) != depth:
        raise VerifyException(f"w must have shape [blocks, {depth}, block], has {list(shape)}")
    count, block = shape[0], shape[-1]
    blocks = -(-outputs // block)
    if count != blocks:
        raise VerifyException(
            f"w must have {blocks} blocks of {block} for {outputs} columns, has {count}"
        )


def _verify_matmul(op: tile.MatmulOp) -> None:
    _check_product(op)
    batch, rows, _ = check_rank("x", op.x, 3)
    out_batch, out_rows, _ = check_rank("acc", op.acc, 3)
    fail_unless(
        (batch, rows) == (out_batch, out_rows),
        f"x has {batch} matrices of {rows} rows, acc {out_batch} of {out_rows}",
    )
    shape = check_rank("w", op.w, 4)
    fail_unless(shape[0] in (1, batch), f"w must have 1 or {batch} matrices, has {shape[0]}")
    depth, columns = op.depth.value.data, op.columns.value.data
    check_pitch("depth", depth, "x", op.x)
    check_pitch("columns", columns, "acc", op.acc)
    check_zero_points(op.zero_points, storage_of(op.x), storage_of(op.w))
    if op.transpose_w is not None:
        fail_unless(
            shape[1] == 1 and shape[2] == columns and shape[3] >= depth,
            f"transposed w must have shape [{shape[0]}, 1, {columns}, {depth} or more], has "
            f"{list(shape)}",
        )
        return
    _check_packed_weights(shape[1:], depth, columns)


def _verify_epilogue(op: tile.EpilogueOp) -> None:
    check_space(op, "acc", "acc")
    check_space(op, "table", "local")
    check_space(op, "out", "local")
    check_at_least_one_axis("acc", op.acc)
    check_at_least_one_axis("out", op.out)
    channels, storage = op.channels.value.data, storage_of(op.out)
    floating = is_float(storage_of(op.acc))
    check_storage("acc", op.acc, *ACCUMULATORS)
    if is_float(storage) != floating:
        raise VerifyException(f"acc of {storage_of(op.acc)} does not become an output of {storage}")
    check_same_rows("out", op.out, "acc", op.acc)
    names = ["acc", "table", "out"]
    if op.residual is not None:
        check_space(op, "residual", "local")
        check_storage("residual", op.residual, storage)
        check_same_rows("residual", op.residual, "out", op.out)
        names.append("residual")
    for name in names:
        check_pitch("channels", channels, name, getattr(op, name))
    _check_table(op, floating)
    check_zero_points(op.zero_points, storage, storage)
    check_clamp(op.clamp)


def _check_table(op: tile.EpilogueOp, floating: bool) -> None:
    """See isa.epilogue for the rows."""
    rows = 1 if floating else (3 if op.residual is None else 5) + (storage_of(op.acc) == "i64")
    check_storage("table", op.table, "f32" if floating else "i32")
    if rows_of(op.table) != rows:
        raise VerifyException(f"table must have {rows} rows, has {rows_of(op.table)}")


def _verify_pool(op: tile.PoolOp) -> None:
    check_local_pair(op)
    check_one_of("kind", op.kind.data, POOL_KINDS)
    storage = storage_of(op.x)
    check_storage("out", op.out, storage)
    source, result = check_rank("x", op.x, 4), check_rank("out", op.out, 4)
    fail_unless(
        (source[0], source[3]) == (result[0], result[3]),
        f"x {list(source)} and out {list(result)} must agree in images and pitch",
    )
    list_of_at_least("kernel", op.kernel, 2, 1)
    list_of_at_least("strides", op.strides, 2, 1)
    list_of_at_least("dilations", op.dilations, 2, 1)
    list_of_at_least("pads", op.pads, 4, 0)
    check_multiplier(op)
    check_zero_points(op.zero_points, storage, storage)
    check_clamp(op.clamp)


def _verify_reduce(op: tile.ReduceOp) -> None:
    check_local_pair(op)
    storage, kind = storage_of(op.x), op.kind.data
    check_one_of("kind", kind, REDUCTION_KINDS)
    fail_unless(is_float(storage) or kind in INTEGER_KINDS, f"{kind} is for floats, x is {storage}")
    check_storage("out", op.out, storage)
    outer, length, inner = list_of_at_least("sizes", op.sizes, 3, 1)
    outer_stride, length_stride = list_of_at_least("strides", op.strides, 2, 0)
    last = (outer - 1) * outer_stride + (length - 1) * length_stride + inner - 1
    total = prod(shape_of(op.x))
    fail_unless(last < total, f"sizes and strides reach element {last} of x, which has {total}")
    check_at_least_one_axis("out", op.out)
    fail_unless(rows_of(op.out) == outer, f"out has {rows_of(op.out)} rows, expected {outer}")
    check_pitch("inner size", inner, "out", op.out)
    check_multiplier(op)
    check_zero_points(op.zero_points, storage, storage)
    check_clamp(op.clamp)


def _verify_resample(op: tile.ResampleOp) -> None:
    check_local_pair(op)
    check_space(op, "index", "local")
    check_storage("index", op.index, "i32")
    check_storage("out", op.out, storage_of(op.x))
    shape, axis = shape_of(op.x), op.axis.value.data
    fail_unless(0 <= axis < len(shape), f"axis {axis} is not one of {len(shape)} axes")
    length, taps = check_rank("index", op.index, 2)
    if op.weight is None:
        fail_unless(taps == 1, f"without weight there is one tap, index has {taps}")
    else:
        check_space(op, "weight", "local")
        check_storage("weight", op.weight, "f32")
        fail_unless(
            shape_of(op.weight) == (length, taps),
            f"weight must have the shape of index, [{length}, {taps}], has "
            f"{list(shape_of(op.weight))}",
        )
        fail_unless(
            is_float(storage_of(op.x)), f"interpolation is for floats, x is {storage_of(op.x)}"
        )
    expected = (*shape[:axis], length, *shape[axis + 1 :])
    fail_unless(
        shape_of(op.out) == expected,
        f"out must have shape {list(expected)}, has {list(shape_of(op.out))}",
    )


def _verify_softmax(op: tile.SoftmaxOp | tile.LocalResponseNormOp) -> None:
    check_local_pair(op)
    storage = storage_of(op.x)
    fail_unless(is_float(storage), f"x must be a float, is {storage}")
    check_storage("out", op.out, storage)
    check_same_rows("out", op.out, "x", op.x)
    columns = op.columns.value.data
    check_pitch("columns", columns, "x", op.x)
    check_pitch("columns", columns, "out", op.out)


def _verify_normalize(op: tile.NormalizeOp) -> None:
    check_local_pair(op)
    check_one_of("kind", op.kind.data, NORMALIZATION_KINDS)
    storage = storage_of(op.x)
    fail_unless(is_float(storage), f"x must be a float, is {storage}")
    check_storage("out", op.out, storage)
    check_same_rows("out", op.out, "x", op.x)
    fail_unless(
        pitch_of(op.out) == pitch_of(op.x),
        f"out has rows of {pitch_of(op.out)}, x of {pitch_of(op.x)}",
    )
    length, inner = op.length.value.data, op.inner.value.data
    fail_unless(min(length, inner) >= 1, f"length and inner are at least 1, got {length}, {inner}")
    check_pitch("length times inner", length * inner, "x", op.x)
    epsilon = op.epsilon.value.data
    fail_unless(0 <= epsilon < inf, f"epsilon must be a number that is not negative, got {epsilon}")
    if op.parameters is None:
        return
    check_space(op, "parameters", "local")
    check_storage("parameters", op.parameters, "f32")
    two, parameter_rows, parameter_length, parameter_inner = check_rank(
        "parameters", op.parameters, 4
    )
    rows = rows_of(op.x)
    fits = two == 2 and rows % parameter_rows == 0 and length % parameter_length == 0
    fail_unless(
        fits and parameter_inner in (1, inner),
        f"parameters {list(shape_of(op.parameters))} do not divide [2, {rows}, {length}, {inner}]",
    )


def _verify_local_response_norm(op: tile.LocalResponseNormOp) -> None:
    _verify_softmax(op)
    fail_unless(op.size.value.data >= 1, f"size must be at least 1, got {op.size.value.data}")
    for name in ("alpha", "beta", "offset"):
        value = getattr(op, name).value.data
        fail_unless(-inf < value < inf, f"{name} must be a number, got {value}")


def _verify_host_call(op: tile.HostCallOp) -> None:
    """Dense buffers in global memory of as many elements as the sizes say; what else the function asks for
    is the instruction's to check."""
    check_space(op, "x", "global")
    check_space(op, "out", "global")
    check_one_of("function", op.function.data, tuple(HOST_FUNCTIONS))
    sizes = list_of_at_least("sizes", op.sizes, 4, 1)
    outer, length, inner, out_length = sizes
    for name, value, expected in (
        ("x", op.x, outer * length * inner),
        ("out", op.out, outer * out_length * inner),
    ):
        found = prod(shape_of(value))
        fail_unless(found == expected, f"{name} has {found} elements, sizes say {expected}")


VERIFIERS: dict[str, Callable[[Any], None]] = {
    "tile.copy": _verify_copy,
    "tile.fill": _verify_fill,
    "tile.conv2d": _verify_convolution,
    "tile.depthwise_conv2d": _verify_convolution,
    "tile.matmul": _verify_matmul,
    "tile.epilogue": _verify_epilogue,
    **POINTWISE_VERIFIERS,
    "tile.pool": _verify_pool,
    "tile.reduce": _verify_reduce,
    "tile.resample": _verify_resample,
    "tile.softmax": _verify_softmax,
    "tile.normalize": _verify_normalize,
    "tile.host_call": _verify_host_call,
    "tile.local_response_norm": _verify_local_response_norm,
}
"""The verifier of each op that a core executes."""
