"""Says in comments which ops use the values of a module, as mlir-opt does with --mlir-print-value-users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue


class UserComments(NamedTuple):
    """The comments at the ends of the lines of ops, and those at the begins of blocks, about their arguments."""

    ops: dict[Operation, str]
    blocks: dict[Block, list[str]]


def user_comments(module: ModuleOp, names: Mapping[SSAValue, str]) -> UserComments:
    """Return who uses each value; `names` are the values' names in the text.

    An op is called by its results; one that has none gets a number of its own (`id: %7`).
    """
    ops = list(module.walk())
    ids = _ids(ops, names)
    comments: dict[Operation, str] = {}
    blocks: dict[Block, list[str]] = {}
    for op in ops:
        users = [_users(result, ids) for result in op.results]
        if len(users) == 1:
            word = "user" if len(users[0]) == 1 else "users"
            comments[op] = f"{word}: {', '.join(users[0])}" if users[0] else "unused"
        elif users:
            comments[op] = "users: " + ", ".join(f"({', '.join(u) or 'unused'})" for u in users)
        elif op.operands:
            comments[op] = f"id: {ids[op][0]}"
        for region in op.regions:
            for block in region.blocks:
                blocks[block] = [
                    f"%{names.get(argument, '?')} is "
                    + (f"used by {', '.join(found)}" if (found := _users(argument, ids)) else "unused")
                    for argument in block.args
                ]  # fmt: skip
    return UserComments(comments, blocks)


def _ids(
    ops: Sequence[Operation], names: Mapping[SSAValue, str]
) -> dict[Operation, tuple[str, ...]]:
    """Return what each op is called: its results, or a number that no value has."""
    number = max((int(name) for name in names.values() if name.isdecimal()), default=-1)
    ids: dict[Operation, tuple[str, ...]] = {}
    for op in ops:
        if op.results:
            ids[op] = tuple(f"%{names.get(result, '?')}" for result in op.results)
        else:
            number += bool(op.operands)
            ids[op] = (f"%{number}",)
    return ids


def _users(value: SSAValue, ids: Mapping[Operation, tuple[str, ...]]) -> list[str]:
    users = dict.fromkeys(use.operation for use in value.uses)
    return [name for op in users for name in ids[op]]
