"""Chooses short names for types that a module's text would repeat: `!t0 = tensor<1x64x56x56x!quant.uniform<...>>`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

_USED_OFTEN = 2
_LONG = 48
_CHARACTERS_SAVED = 400
"""How many characters an alias must save: types that save less are easier to read where they stand."""


class TypeAliases(NamedTuple):
    """The names of types, by the identity of the attribute (which lives as long as the module), and the
    definitions to print, in order."""

    name_of: dict[int, str]
    definitions: list[tuple[str, Attribute]]


def type_aliases(module: ModuleOp, text_of: Callable[[Attribute], str]) -> TypeAliases:
    """Return aliases for the types that are long and that many values have, in the order in which they first appear."""
    uses: Counter[int] = Counter()
    types: dict[int, Attribute] = {}
    for op in module.walk():
        values = [*op.results, *op.operands]
        for region in op.regions:
            for block in region.blocks:
                values += block.args
        for value in values:
            uses[id(value.type)] += 1
            types[id(value.type)] = value.type
    # Types are compared by identity first: comparing them by value costs as much as printing them.
    equal: dict[Attribute, list[int]] = {}
    for identity, attribute in types.items():
        equal.setdefault(attribute, []).append(identity)
    aliases = TypeAliases({}, [])
    for attribute, identities in equal.items():
        count = sum(uses[identity] for identity in identities)
        if count < _USED_OFTEN:
            continue
        length = len(text_of(attribute))
        if length < _LONG or (count - 1) * length < _CHARACTERS_SAVED:
            continue
        name = f"!t{len(aliases.definitions)}"
        aliases.definitions.append((name, attribute))
        aliases.name_of.update(dict.fromkeys(identities, name))
    return aliases
