"""Functions of `top` along one axis: positions of extremes, running sums, the largest elements."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.host import AXIS_FUNCTIONS, HOST_FUNCTIONS
from ..ir.attribute import check_one_of
from ..network.along_axis import AlongAxisBase
from ..network.traits import ComparesElements, MakesPositions
from .top_op import TopOp


@irdl_op_definition
class AlongAxisOp(AlongAxisBase, TopOp):
    """The function `kind` along `axis` (non-negative), whose size in the result is `length`.

    argmax, argmin: the position (i64) of the extreme; of equal ones the first or, with `last`, the last. Without
    `keepdims` the axis is dropped. cumsum: running sums, which leave out the element itself with `exclusive` and start
    at the end with `reverse`. top_k_values, top_k_indices: the `length` smallest elements or, with `largest`, the
    largest, in order, or their positions (i64); of equal elements the first comes first.

    %y = top.along_axis "y" %x kind = "argmax" axis = 1 length = 1 : (tensor<1x10xf32>) -> tensor<1xi64>
    """

    name = "top.along_axis"
    traits = traits_def(
        MakesPositions(), ComparesElements(where=lambda op: HOST_FUNCTIONS[op.kind.data].compares)
    )

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        return {kind: _example(kind) for kind in AXIS_FUNCTIONS}

    def _verify_elements(self) -> None:
        check_one_of("kind", self.kind.data, AXIS_FUNCTIONS)
        self.verify_function()


def _example(kind: str) -> str:
    """Return the text of an op of `kind`, with the length and the elements that its result has."""
    function = HOST_FUNCTIONS[kind]
    length = {"one": 1, "same": 10}.get(function.lengths, 3)
    return (
        f'%y = top.along_axis "y" %x kind = "{kind}" axis = 1 length = {length} keepdims : '
        f"(tensor<1x10xf32>) -> tensor<1x{length}x{function.gives or 'f32'}>"
    )
