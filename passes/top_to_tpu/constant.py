"""Converts constants of `top` to `tpu`."""

from __future__ import annotations

from ...dialects import top
from .tpu_builder import Conversions, TpuBuilder


def convert_weight(builder: TpuBuilder, op: top.WeightOp) -> None:
    """Do nothing: a constant is converted only when an op asks for it, into the form (float or quantized) that the op
    asks for.
    """


CONVERSIONS: Conversions = {top.WeightOp: convert_weight}
"""The conversion of constants."""
