"""Groups of layers that are quantized as one: an op, the activations that round its result, and what only moves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.interpreter.samples import input_names, main_function
from ...dialects import top
from ...dialects.network.traits import GivesQuantization, Moves, RoundsResult


@dataclass(frozen=True)
class LayerGroup:
    """Layers of one scheme, in order, by the names of their results.

    `kind` is the name of the op that computes; `reads` are the values that the group reads, by the names of the groups
    that make them; `inputs` the inputs of the network among them.
    """

    kind: str
    layers: Sequence[str]
    reads: Sequence[str]
    inputs: Sequence[str]

    @property
    def name(self) -> str:
        """The name of the group's last layer, whose result others read."""
        return self.layers[-1]


def layer_groups(module: ModuleOp) -> list[LayerGroup]:
    """Return the groups of a network of top ops, in order; what no input influences is in none.

    An op joins the group of the one that it reads if it only moves elements, or if it is the only reader of a result
    that can be rounded as its own is: a relu or a clip.
    """
    function = main_function(module)
    inputs: dict[SSAValue, str] = dict(
        zip(function.body.block.args, input_names(function), strict=True)
    )
    members: list[list[top.TopOp]] = []
    place_of: dict[SSAValue, int] = {}
    for op in function.body.block.ops:
        if not isinstance(op, top.TopOp) or isinstance(op, top.WeightOp):
            continue
        if not any(value in place_of or value in inputs for value in op.operands):
            continue
        place = _joined_group(op, place_of)
        if place is None:
            place = len(members)
            members.append([])
        members[place].append(op)
        place_of[op.output] = place
    names = [[op.result_name.data for op in group] for group in members]
    return [
        LayerGroup(
            group[0].name.removeprefix("top."),
            names[place],
            [names[read][-1] for read in _distinct(group, place_of) if read != place],
            [inputs[value] for op in group for value in op.operands if value in inputs],
        )
        for place, group in enumerate(members)
    ]


def _joined_group(op: Operation, place_of: dict[SSAValue, int]) -> int | None:
    """Return the place of the group that `op` joins, None if it begins one."""
    active = [value for value in op.operands if value in place_of]
    if len(active) != 1:
        return None
    if Moves.holds(op):
        return place_of[active[0]]
    rounds = GivesQuantization.holds(op) and RoundsResult.holds(active[0].owner)
    return place_of[active[0]] if rounds and active[0].has_one_use() else None


def _distinct(group: Sequence[Operation], place_of: dict[SSAValue, int]) -> list[int]:
    """Return the places of the groups that make what a group reads."""
    return list(
        dict.fromkeys(place_of[value] for op in group for value in op.operands if value in place_of)
    )
