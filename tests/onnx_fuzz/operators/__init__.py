"""How operands and attributes of each op are drawn: a function for each op, in a file for each family."""

from __future__ import annotations

from collections.abc import Callable

from tests.onnx_fuzz.draw import Draw
from tests.onnx_fuzz.operators import (
    control_flow,
    fused,
    movement,
    normalization,
    pointwise,
    product,
    quantization,
    quantized_fused,
    recurrence,
    reduction,
    sampling,
    window,
)

DRAWS: dict[str, Callable[[Draw], None]] = {
    **control_flow.DRAWS,
    **fused.DRAWS,
    **movement.DRAWS,
    **normalization.DRAWS,
    **pointwise.DRAWS,
    **product.DRAWS,
    **quantization.DRAWS,
    **quantized_fused.DRAWS,
    **recurrence.DRAWS,
    **reduction.DRAWS,
    **sampling.DRAWS,
    **window.DRAWS,
}
"""By the name of the op; an op of another domain has the domain before its name."""
