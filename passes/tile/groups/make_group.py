"""Puts consecutive layers of a program into a group."""

from __future__ import annotations

from xdsl.utils.exceptions import VerifyException

from ....backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ....dialects import tile


def group_layers(
    program: tile.ProgramOp, layers: list[tile.LayerOp], group: tile.Group
) -> tile.GroupOp:
    """Put layers that follow each other, with at most declarations between them, into a group, and return it."""
    block = program.body.block
    made = tile.GroupOp(group, [], location=layers[-1].location)
    block.insert_op_after(made, layers[-1])
    for layer in layers:
        layer.detach()
    made.body.block.add_ops(layers)
    return made


def dissolve(group: tile.GroupOp) -> None:
    """Put the layers of a group back where it stands."""
    block, layers = group.parent_block(), group.layers
    assert block is not None
    for layer in layers:
        layer.detach()
    block.insert_ops_before(layers, group)
    group.detach()
    group.erase()


def group_as_given(
    program: tile.ProgramOp, last: tile.LayerOp, given: tile.Group, place: Place
) -> None:
    """Make the group that a schedule says of its last layer; one of the same layers that is there gets the new fields.

    Raises DiagnosticError, at the place of the schedule's entry, if that cannot be.
    """
    layers = program.layers
    end, first = layers.index(last), given.first or last.tpu_name
    begin = next((at for at in range(end + 1) if layers[at].tpu_name == first), None)
    name = last.tpu_name or ""
    if begin is None:
        names = [op.tpu_name or "" for op in layers[: end + 1]]
        raise DiagnosticError(
            f"the group that ends with '{name}' begins with '{first}', which is no layer before it",
            place,
            hint=did_you_mean(first or "", names) or "'first' names the first layer of the group",
        )
    chosen = layers[begin : end + 1]
    group = tile.Group(given.axis, given.slices, given.halos, given.order)
    holder = last.parent_op()
    if isinstance(holder, tile.GroupOp) and holder.layers == chosen:
        made = holder
        made.properties["group"] = tile.GroupAttr(group)
    else:
        for op in chosen:
            if isinstance(op.parent_op(), tile.GroupOp):
                raise DiagnosticError(
                    f"layer '{op.tpu_name}' is in a group already",
                    place,
                    hint="a layer is in one group at most: change the groups, or leave one out",
                )
        made = group_layers(program, chosen, group)
    try:
        made.verify_()
    except VerifyException as error:
        raise DiagnosticError(
            f"this is no group from '{first}' to '{name}': {error}",
            place,
            hint="change the entry, or the layers that it takes in",
        ) from None
