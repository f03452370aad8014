"""How constants of `top` are said in `tpu`."""

from __future__ import annotations

from ...dialects import top
from .tpu_builder import Conversions, TpuBuilder


def convert_weight(builder: TpuBuilder, op: top.WeightOp) -> None:
    """Makes nothing: the builder makes the form that an op asks for when it is converted."""


CONVERSIONS: Conversions = {top.WeightOp: convert_weight}
"""The conversion of constants."""
