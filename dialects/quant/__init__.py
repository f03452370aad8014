"""The quant dialect: MLIR's quantized types, and the casts to and from them.

A real number is represented as `scale * (storage value - zero point)`. Text and meaning follow MLIR's quant dialect
(mlir/include/mlir/Dialect/Quant/IR/QuantBase.td); unlike MLIR's, our types check that a zero point fits its storage.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .calibrated_type import CalibratedType as CalibratedType
from .calibrated_type import RangeType
from .calibrated_type import calibrated as calibrated
from .casts import DcastOp, QcastOp, ScastOp
from .uniform_type import UniformQuantizedType
from .uniform_type import uniform as uniform
from .uniform_type import uniform_per_axis as uniform_per_axis
from .uniform_type import uniform_with as uniform_with
from .uniform_type import verify_quantized_shape as verify_quantized_shape

Quant = Dialect("quant", [QcastOp, DcastOp, ScastOp], [UniformQuantizedType, RangeType])
