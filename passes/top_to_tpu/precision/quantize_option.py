"""The values of the option `quantize`: how the numbers of a network are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Quantize = Literal["int8", "f32", "f16", "bf16"]
QUANTIZE: tuple[Quantize, ...] = get_args(Quantize)
"""int8: integers for ops that have an integer form, and f32 for the others. f32, f16, bf16: the storage
type of every tensor."""
BY_NAME: Mapping[str, Quantize] = {each: each for each in QUANTIZE}
"""The values by their names."""
