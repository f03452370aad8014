"""Converts softmax and the normalizations of `top` to `tpu`: to floats, between casts."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import top, tpu
from ...dialects.ir.location import place_of
from .precision.given_quantization import constant_of
from .tpu_builder import Conversions, TpuBuilder


def convert_softmax(builder: TpuBuilder, op: top.SoftmaxOp) -> None:
    """Convert softmax, or its logarithm, which computes in f32."""
    made = tpu.SoftmaxOp(
        op.result_name.data,
        builder.as_float(op.input),
        axis=op.axis.value.data,
        log=op.log is not None,
    )
    builder.set_float(op.output, builder.add(made).output)


def convert_normalize(builder: TpuBuilder, op: top.NormalizeOp) -> None:
    """Convert a normalization, which computes in f32; a scale or bias that is not constant becomes an op of its own."""
    name = op.result_name.data
    constants = [
        value for value in (op.scale, op.bias) if value is not None and constant_of(value) is None
    ] == []

    def form(value: SSAValue | None) -> SSAValue | None:
        return None if value is None else builder.as_f32(value)

    steps = [] if constants else [(tpu.MulOp, op.scale), (tpu.AddOp, op.bias)]
    steps = [(kind, value) for kind, value in steps if value is not None]
    result = builder.add(
        tpu.NormalizeOp(
            builder.fresh(f"{name}_normalized") if steps else name,
            builder.as_float(op.input),
            form(op.scale) if constants else None,
            form(op.bias) if constants else None,
            kind=op.kind.data,
            axes=op.axes.get_values(),
            epsilon=op.epsilon.value.data,
        )
    ).output
    for index, (kind, value) in enumerate(steps, 1):
        step_name = name if index == len(steps) else builder.fresh(f"{name}_scaled")
        result = builder.add(kind(step_name, result, builder.as_float(value))).output
    builder.set_float(op.output, result)


def convert_local_response_norm(builder: TpuBuilder, op: top.LocalResponseNormOp) -> None:
    """Convert a local response normalization, which computes in f32."""
    made = tpu.LocalResponseNormOp(
        op.result_name.data,
        builder.as_float(op.input),
        size=op.size.value.data,
        alpha=op.alpha.value.data,
        beta=op.beta.value.data,
        offset=op.offset.value.data,
    )
    builder.set_float(op.output, builder.add(made).output)


def refuse_batch_norm(builder: TpuBuilder, op: top.BatchNormOp) -> None:
    """Raise DiagnosticError, because batch normalizations must have been folded before."""
    raise DiagnosticError(
        "top.batch_norm has no counterpart in tpu",
        place_of(op),
        hint="run top-fold-batch-norm before; its scale, bias, mean and variance must be constants",
    )


CONVERSIONS: Conversions = {
    top.SoftmaxOp: convert_softmax,
    top.NormalizeOp: convert_normalize,
    top.LocalResponseNormOp: convert_local_response_norm,
    top.BatchNormOp: refuse_batch_norm,
}
"""The conversion of softmax and each normalization."""
