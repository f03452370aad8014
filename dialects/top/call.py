"""The op of `top` for whatever no other op computes: a named function."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.functions.call import Call
from ...backends.numerics.functions.function import TensorKind
from ...backends.numerics.functions.registry import FUNCTIONS
from ..ir.attribute import optional_dictionary
from ..ir.text.assembly import value_text
from ..network.call import CallBase
from ..network.traits import CanStayFloat, ComparesElements, TakesAnyElements
from ..quant.element_type import type_of_storage
from .top_op import TopOp


@irdl_op_definition
class CallOp(CallBase, TopOp):
    """The result number `result` of a named function of the inputs, with the function's `attributes`.

    Inputs have any elements: floats, integers and bools. Of a function with several results, such as top_k, each one
    that is used is an op of its own. The functions are those of backends/numerics/functions.

    %y = top.call "y" %x, %i function = "gather" attributes = {axis = 1} :
        (tensor<4x10xf32>, tensor<3xi64>) -> tensor<4x3xf32>
    """

    name = "top.call"
    traits = traits_def(
        TakesAnyElements(),
        ComparesElements(where=lambda op: op.call().known.compares),
        CanStayFloat(where=lambda op: op.function.data == "gather", chooses=lambda op: True),
    )

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        return {name: _example(name) for name in FUNCTIONS}

    def _verify_elements(self) -> None:
        self.verify_call()


def _example(name: str) -> str:
    """Return the text of a call of a function with the operands and attributes of its example."""
    operands, attributes = FUNCTIONS[name].example
    call = Call.of(name, operands, attributes)
    given = optional_dictionary(attributes)
    shown = "" if given is None else f" attributes = {value_text(given)}"
    names = ", ".join(f"%x{number}" for number in range(len(operands)))
    types = ", ".join(_type(kind) for kind in operands)
    return f'%y = top.call "y" {names} function = "{name}"{shown} : ({types}) -> {_type(call.result_kind)}'


def _type(kind: TensorKind) -> str:
    sizes = "".join(f"{size}x" for size in kind.shape)
    return f"tensor<{sizes}{type_of_storage(kind.storage)}>"
