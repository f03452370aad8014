"""Makes a network of top or tpu ops smaller: parts of it, shortcuts, smaller shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xdsl.dialects.builtin import (
    ArrayAttr,
    FunctionType,
    ShapedType,
    StringAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, SSAValue
from xdsl.rewriter import Rewriter

from ...backends.interpreter.samples import input_names, main_function
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import WeightBase
from ...dialects.network.ports import (
    SIDES,
    NetworkPort,
    Side,
    network_ports,
    port_names,
    set_network_ports,
)
from ...dialects.network.shape import ShapeError
from ...dialects.network.tensor_op import TensorOp
from .experiment import IrExperiment

INPUTS, OUTPUTS = "smalti.inputs", "smalti.outputs"


def network_ops(function: FuncOp) -> list[TensorOp]:
    """Return the ops that compute, in order: all but weights and the return."""
    return [
        op
        for op in function.body.block.ops
        if isinstance(op, TensorOp) and not isinstance(op, WeightBase)
    ]


def count(experiment: IrExperiment) -> int:
    """Return the number of ops that compute."""
    return len(network_ops(main_function(experiment.module)))


def keep(experiment: IrExperiment, kept: Sequence[int]) -> IrExperiment:
    """Return the network of these ops only, by number.

    Results of removed ops become inputs of the same names. The network returns what it returned before, and what
    nobody uses any more.
    """
    module = experiment.module.clone()
    function = main_function(module)
    ops = network_ops(function)
    names, ports = input_names(function), _ports_by_name(function)
    chosen = set(kept)
    for number, op in enumerate(ops):
        if number in chosen:
            continue
        argument = function.body.block.insert_arg(op.output.type, len(function.body.block.args))
        argument.name_hint = op.output.name_hint
        argument.location = op.location
        names.append(op.result_name.data)
        op.output.replace_all_uses_with(argument)
    for number in reversed(range(len(ops))):
        if number not in chosen:
            ops[number].detach()
            ops[number].erase()
    _settle(function, names, ports)
    return IrExperiment(experiment.passes, module, experiment.ctx)


def bypass(experiment: IrExperiment, number: int) -> IrExperiment | None:
    """Return the network without one op, whose result is replaced by an operand of the same type.

    Returns None if the op has no such operand.
    """
    module = experiment.module.clone()
    function = main_function(module)
    op = network_ops(function)[number]
    operand = next((o for o in op.operands if _same_type(o.type, op.output.type)), None)
    if operand is None:
        return None
    ports = _ports_by_name(function)
    op.output.replace_all_uses_with(operand)
    op.detach()
    op.erase()
    _settle(function, input_names(function), ports)
    return IrExperiment(experiment.passes, module, experiment.ctx)


def _same_type(a: Attribute, b: Attribute) -> bool:
    if not isinstance(a, TensorType) or not isinstance(b, TensorType):
        return False
    return a.get_shape() == b.get_shape() and a.element_type == b.element_type


_Ports = Mapping[Side, Mapping[str, NetworkPort]]


def _ports_by_name(function: FuncOp) -> _Ports:
    """Return what is said of a function's inputs and outputs, by name."""
    return {side: {each.name: each for each in network_ports(function, side)} for side in SIDES}


def _settle(function: FuncOp, names: list[str], ports: _Ports) -> None:
    """Make unused values results of the function, drop weights and inputs that nobody reads, and update its type.

    What `ports` say of inputs and outputs that stay holds on.
    """
    block = function.body.block
    returned = block.last_op
    assert isinstance(returned, ReturnOp)
    old = dict(zip(returned.operands, ports["output"], strict=False))
    made = [op.output for op in network_ops(function)]
    values = [value for value in made if value in old or value.first_use is None]
    for value in values:
        old.setdefault(value, _result_name(value))
    new = ReturnOp(*values)
    new.location = returned.location
    Rewriter.replace_op(returned, new, [])
    for op in list(block.ops):
        if isinstance(op, WeightBase) and op.output.first_use is None:
            op.detach()
            op.erase()
    kept_names: list[str] = []
    for argument, name in list(zip(block.args, names, strict=True)):
        if argument.first_use is None:
            block.erase_arg(argument)
        else:
            kept_names.append(name)
    function.attributes[INPUTS] = ArrayAttr([StringAttr(name) for name in kept_names])
    function.attributes[OUTPUTS] = ArrayAttr([StringAttr(old[value]) for value in values])
    _fit_type(function)
    for side in SIDES:
        types = [value.type for value in (block.args if side == "input" else values)]
        kept = zip(port_names(function, side), types, strict=True)
        set_network_ports(
            function,
            side,
            [
                replace(ports[side].get(name, NetworkPort(side, name, t)), type=t)
                for name, t in kept
            ],
        )


def _fit_type(function: FuncOp) -> None:
    block = function.body.block
    returned = block.last_op
    assert returned is not None
    function.properties["function_type"] = FunctionType.from_lists(
        [argument.type for argument in block.args], [value.type for value in returned.operands]
    )


def _result_name(value: SSAValue) -> str:
    owner = value.owner
    assert isinstance(owner, TensorOp)
    return owner.result_name.data


def sizes(experiment: IrExperiment) -> set[int]:
    """Return the sizes of all axes."""
    block = main_function(experiment.module).body.block
    values = [*block.args, *(op.output for op in block.ops if isinstance(op, TensorOp))]
    return {size for value in values for size in _shape(value)}


def shrink(experiment: IrExperiment, size: int, smaller: int) -> IrExperiment | None:
    """Return the network with every axis of `size` elements cut to `smaller`.

    Returns None if its ops do not fit together then. Cuts weights to their first elements. The shapes of results
    follow from those of the operands; reshapes get their own sizes replaced.
    """
    module, ctx = experiment.module.clone(), experiment.ctx.fork()
    function = main_function(module)

    def cut(shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(smaller if axis == size else axis for axis in shape)

    for argument in function.body.block.args:
        _set_shape(argument, cut(_shape(argument)))
    try:
        for op in function.body.block.ops:
            if isinstance(op, WeightBase):
                _cut_weight(op, cut(_shape(op.output)), ctx.weights)
            elif isinstance(op, TensorOp):
                _set_shape(op.output, cut(_shape(op.output)))
                _set_shape(op.output, tuple(op.expected_shape()))
    except (ShapeError, ValueError):
        return None
    _fit_type(function)
    return IrExperiment(experiment.passes, module, ctx)


def _shape(value: SSAValue) -> tuple[int, ...]:
    assert isinstance(value.type, ShapedType)
    return value.type.get_shape()


def _set_shape(value: SSAValue, shape: tuple[int, ...]) -> None:
    assert isinstance(value.type, TensorType)
    if value.type.get_shape() != shape:
        type = TensorType(value.type.element_type, shape)
        Rewriter.replace_value_with_new_type(value, type)


def _cut_weight(op: WeightBase, shape: tuple[int, ...], store: WeightStore) -> None:
    old = _shape(op.output)
    if shape == old:
        return
    if op.value is not None:
        raise ValueError("a dense constant keeps its shape")
    if op.key is not None:
        array = store.get(op.key.data)[tuple(slice(0, axis) for axis in shape)]
        op.properties["key"] = StringAttr(store.add(op.key.data, array))
    _set_shape(op.output, shape)
