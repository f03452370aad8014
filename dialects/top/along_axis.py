"""Functions of `top` along one axis: positions of extremes, running sums, the largest elements."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from ..network.along_axis import AlongAxisBase
from .top_op import TopOp


@irdl_op_definition
class AlongAxisOp(AlongAxisBase, TopOp):
    """The function `kind` along `axis` (non-negative), whose size in the result is `length`.

    argmax, argmin: the first position of the extreme, with `last` the last one, as i64; without
    `keepdims` the axis is dropped. cumsum: running sums, `exclusive` of the element itself, `reverse` from the
    end on. top_k_values, top_k_indices: the `length` smallest elements, with `largest` the largest, in
    their order, or their positions as i64; of equal ones the first comes first.

    %y = top.along_axis "y" %x kind = "argmax" axis = 1 length = 1 : (tensor<1x10xf32>) -> tensor<1xi64>
    """

    name = "top.along_axis"

    def _verify_elements(self) -> None:
        self.verify_function()
