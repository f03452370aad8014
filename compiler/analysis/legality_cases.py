"""The networks of one op that a legality table compiles: what each op of `top` can be asked to do.

They are the examples of the ops' own docstrings, in every kind that an op has, with its operands computed at run time
or constant. A multiplication stands before the op and one after it: then the op has integer operands and an integer
result in an INT8 network, as in the midst of a real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FunctionType,
    ModuleOp,
    StringAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import top
from ...dialects.context import DIALECTS
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.example import documentation, runnable
from ...dialects.ir.text.module_text import parse_module
from ...dialects.quant.element_type import element_storage, is_float
from ...dialects.top.top_op import TopOp

BEFORE, AFTER = "before", "after"
"""How the names of the multiplications before and after an op begin."""

_MULTIPLIED = ("f16", "bf16", "f32")
_CONSTANT = 0.75
"""The elements of operands that are constant: every function of `top` is defined there."""


@dataclass(frozen=True)
class Case:
    """A network of one op: its text, and what tells it from the op's other networks (a kind, or "")."""

    op: type[TopOp]
    kind: str
    text: str

    def module(self, ctx: SmaltiContext, computed: int) -> tuple[ModuleOp, tuple[str, ...]]:
        """Return the network, and the names of its constant operands.

        The first `computed` inputs are computed at run time; the others become constants unless they are bools.
        """
        module = parse_module(self.text, ctx, f"the example of {self.op.name}")
        function = next(op for op in module.walk() if isinstance(op, FuncOp))
        block = function.body.block
        op, returned = block.first_op, block.last_op
        assert isinstance(op, self.op) and returned is not None
        for argument in list(block.args)[::-1]:
            if not _is_for_engines(argument.type):
                continue
            if argument.index < computed:
                made = _product(argument, f"{BEFORE}{argument.index}", op)
                argument.replace_uses_with_if(made, lambda use, made=made: use.operation is op)
            else:
                weight = _constant(f"constant{argument.index}", argument.type)
                block.insert_op_before(weight, op)
                argument.replace_all_uses_with(weight.output)
                block.erase_arg(argument)
        if _is_for_engines(op.output.type):
            returned.operands[0] = _product(op.output, AFTER, returned)
        function.properties["function_type"] = FunctionType.from_lists(
            [each.type for each in block.args], list(function.function_type.outputs)
        )
        function.attributes["smalti.inputs"] = ArrayAttr(
            [StringAttr(f"input{argument.index}") for argument in block.args]
        )
        constant = [
            name for name, value in op.named_operands() if isinstance(value.owner, top.WeightOp)
        ]
        return module, tuple(constant)

    @property
    def inputs(self) -> int:
        """How many inputs the network has."""
        return self.text.partition(" -> ")[0].count(": tensor<")


def _is_for_engines(type: Attribute) -> bool:
    """Return whether a type has floats that engines multiply: f64 and those of 8 bits stay inputs of the op itself."""
    return is_float(type) and element_storage(type) in _MULTIPLIED


def _constant(name: str, type: Attribute) -> top.WeightOp:
    assert isinstance(type, TensorType)
    value = DenseIntOrFPElementsAttr.from_list(type, [_CONSTANT])
    return top.WeightOp(name, type=type, value=value)


def _product(value: SSAValue, name: str, before: Operation) -> SSAValue:
    """Insert before an op the product of `value` and a new input of the network.

    No pass can fuse it with its neighbors, as one can a multiplication by a constant.
    """
    block = before.parent
    assert block is not None and isinstance(value.type, TensorType)
    factor = block.insert_arg(value.type, len(block.args))
    made = top.MulOp(name, value, factor)
    block.insert_op_before(made, before)
    return made.output


def cases() -> Iterator[Case]:
    """Yield every op of `top` that computes, in the order of the dialect, in each of its kinds."""
    for op in DIALECTS["top"]().operations:
        assert issubclass(op, TopOp)
        if op is top.WeightOp:
            continue
        _, example = documentation(op)
        assert example is not None, "every op has an example, as the reference pages need it"
        for kind, text in op.variants(example).items():
            yield Case(op, kind, runnable(text))
