"""Checks IR op by op and says in one sentence what is wrong, without the dump of the module that xDSL makes of it. Ops
that have not changed since they were last found right are not checked again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import IRDLOperation, OpDef, traits_def
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator
from xdsl.utils.exceptions import VerifyException

from .definition_check import checks_by_itself, definition_predicate
from .direct_access import operands_of
from .foreign_object import foreign_object


class LocallyVerifiedOp(IRDLOperation):
    """Base of ops whose verifier, if they have no regions, looks only at the op, its operands and the ops that define
    them. It is run again only if one of these has changed (`Verifier`).
    """

    OWN_PROPERTIES: ClassVar[frozenset[str]] = frozenset()
    """Properties that only the op's own verifier looks at."""
    IS_SEEN_THROUGH: ClassVar[bool] = False
    """Whether the verifiers of its users also look at the ops that define its operands."""


Wrong = tuple[Operation, str]
"""An op that is wrong, and why."""


class WrongOpInside(VerifyException):
    """Raised by the verifier of an op that finds `op`, inside it, wrong."""

    def __init__(self, op: Operation, message: str) -> None:
        super().__init__(message)
        self.op = op


def first_error(op: Operation) -> Wrong | None:
    """Return the first op inside `op` (itself included) that is wrong, with the reason; None if all are right. See
    `Verifier`.
    """
    return Verifier().first_error(op)


@dataclass(frozen=True)
class _State:
    """All that the verifier of an op sees of the op itself.

    Attributes and types are immutable, so two states that hold the same objects mean the same.
    """

    op: Operation
    properties: Mapping[str, Attribute]
    attributes: Mapping[str, Attribute]
    operands: tuple[SSAValue, ...]
    types: list[Attribute]


class Verifier:
    """Verifies a module, again and again while passes change it.

    Besides each op's own verifier this checks that every operand is defined before its use, that blocks end in
    terminators where they have to, that names (property `name`) are unique in each function, and that attributes and
    locations are such. The ops inside an op are checked before the op itself, so that its verifier may rely on them.

    Where an op stands is checked every time. The verifier of a `LocallyVerifiedOp` without regions is run again only
    where something that it sees has changed: the op's properties, attributes, operands and types, and those of the ops
    that define its operands. For that the verifier keeps what it saw, as long as it lives.
    """

    def __init__(self) -> None:
        self._right: dict[int, _State] = {}
        """The ops that the last run found right, by id; they are held, so that no other op gets the id."""
        self._met: dict[int, _State] = {}
        self._twins: dict[tuple[object, ...], _State] = {}
        """Ops that were met in this run, whose operands are arguments of blocks, by what their verifiers see."""
        self._changed: set[int] = set()
        """The ids of those ops met so far whose users have to be verified again."""
        self._outside = 0
        """How many operands so far were defined in another block than their user's."""

    def first_error(self, op: Operation) -> Wrong | None:
        """Return the first op inside `op` (itself included) that is wrong, with the reason; None if all are right."""
        self._met, self._twins, self._changed, self._outside = {}, {}, set(), 0
        wrong = self._error(op)
        self._right = self._met if wrong is None else {}
        self._met = {}
        return wrong

    def _error(self, op: Operation) -> Wrong | None:
        rules = _rules(type(op))
        names: set[StringAttr] | None = set() if isinstance(op, FuncOp) else None
        outside = self._outside
        try:
            # Some verifiers look at the enclosing op: that of func.return at the function's type.
            rules.verify_definition(op)
            for region in op.regions:
                for block in region.blocks:
                    wrong = self._block_error(block, names)
                    if wrong is not None:
                        return wrong
            if rules.isolated and outside != self._outside:
                IsolatedFromAbove().verify(op)
            rules.own(op)
        except WrongOpInside as error:
            return error.op, _first_line(error)
        except VerifyException as error:
            return op, _first_line(error)
        return _terminator_error(op) if op.regions else None

    def _block_error(self, block: Block, names: set[StringAttr] | None) -> Wrong | None:
        defined: set[int] = set()
        for op in block.ops:
            operands = operands_of(op)
            owners = [id(operand.owner) for operand in operands]
            reason = None if defined.issuperset(owners) else self._use_error(op, block, defined)
            if reason is None and names is not None:
                reason = _name_error(op, names)
            if reason is not None:
                return op, reason
            if not (_rules(type(op)).stands_alone and self._is_known(op, operands, owners)):
                wrong = self._error(op)
                if wrong is not None:
                    return wrong
            defined.add(id(op))
        return None

    def _use_error(self, op: Operation, block: Block, defined: set[int]) -> str | None:
        """Return what is wrong with where an op's operands are defined: an operand from the same block must be defined
        above. Operands from other blocks are checked later, by IsolatedFromAbove.
        """
        for index, operand in enumerate(operands_of(op)):
            owner = operand.owner
            if id(owner) in defined:
                continue
            if isinstance(owner, Operation):
                if owner.parent is None:
                    return f"operand {index} is made by an op that was erased ({owner.name})"
                if owner.parent is block:
                    return f"operand {index} is used before it is defined (by {owner.name})"
            if owner is not block:
                self._outside += 1
        return None

    def _is_known(self, op: Operation, operands: tuple[SSAValue, ...], owners: list[int]) -> bool:
        """Tell whether the op was found right before and nothing that its verifier sees has changed since. Its
        `operands` are defined by the ops or blocks whose ids are the `owners`.
        """
        types = [value.type for value in operands]
        types += [value.type for value in op.results]
        known = self._right.get(id(op))
        alike = (
            known is not None
            and isinstance(op.location, Attribute)
            and known.types == types
            and (known.operands is operands or known.operands == operands)
            and known.attributes == op.attributes
        )
        if known is not None and alike and known.properties == op.properties:
            self._met[id(op)] = known
            is_right = self._changed.isdisjoint(owners)
            if not is_right and _is_seen_through(op):
                self._changed.add(id(op))
            return is_right
        state = _State(op, op.properties.copy(), op.attributes.copy(), operands, types)
        self._met[id(op)] = state
        if known is None or not alike or _shown(known) != _shown(state):
            self._changed.add(id(op))
        return self._is_twin(state)

    def _is_twin(self, state: _State) -> bool:
        """Tell whether the op is equal, object by object, to one before it of whose operands no op defines any either:
        the layers of a program are copied for its cores. If that one was wrong, the run has ended.
        """
        op, operands, properties = state.op, state.operands, state.properties
        if op.attributes or any(isinstance(value.owner, Operation) for value in operands):
            return False
        seen = *map(id, properties.values()), *map(id, state.types), *map(operands.index, operands)
        key = (type(op), *properties, *seen)
        if key in self._twins:
            return isinstance(op.location, Attribute)
        self._twins[key] = state
        return False


def _is_seen_through(op: Operation) -> bool:
    return isinstance(op, LocallyVerifiedOp) and op.IS_SEEN_THROUGH


def _shown(state: _State) -> dict[str, Attribute]:
    """Return the properties that the verifiers of an op's users may look at."""
    assert isinstance(state.op, LocallyVerifiedOp)
    hidden = state.op.OWN_PROPERTIES
    return {name: value for name, value in state.properties.items() if name not in hidden}


@dataclass(frozen=True)
class _Rules:
    """How ops of a class are verified: by their definition, then by what their class adds."""

    verify_definition: Callable[[Operation], None]
    """Checks all of the definition except IsolatedFromAbove."""
    isolated: bool
    """Whether IsolatedFromAbove is one of its traits."""
    own: Callable[[Operation], None]
    stands_alone: bool
    """Whether verification looks at the op, its operands and the ops that define them only."""


@cache
def _rules(cls: type[Operation]) -> _Rules:
    if not issubclass(cls, IRDLOperation):
        return _Rules(_check_objects, False, cls.verify_, False)
    # xDSL's decorator replaces the verifier of a class by one that first verifies the definition.
    written = inspect.getclosurevars(cls.verify_).nonlocals
    own, definition = written["custom_verify"], cls.get_irdl_definition()
    isolated = any(isinstance(trait, IsolatedFromAbove) for trait in definition.traits)
    others = tuple(t for t in definition.traits if not isinstance(t, IsolatedFromAbove))
    verify = _definition_verifier(replace(definition, traits=traits_def(*others)))
    alone = issubclass(cls, LocallyVerifiedOp) and checks_by_itself(definition)
    return _Rules(verify, isolated, own, alone)


def _definition_verifier(definition: OpDef) -> Callable[[Operation], None]:
    """Return a function that raises VerifyException for ops of the class that its definition does not allow."""
    holds = definition_predicate(definition)

    def verify(op: Operation) -> None:
        is_allowed = holds is not None and holds(op)
        if not is_allowed or op.attributes or not isinstance(op.location, Attribute):
            _check_objects(op)
        if not is_allowed:
            definition.verify(op)

    return verify


def _check_objects(op: Operation) -> None:
    """Raise VerifyException if something stands in place of an attribute or a location that is none."""
    reason = foreign_object(op)
    if reason is not None:
        raise VerifyException(reason)


def _first_line(error: VerifyException) -> str:
    return str(error).strip().partition("\n")[0]


def _terminator_error(parent: Operation) -> Wrong | None:
    if parent.has_trait(NoTerminator):
        return None
    for region in parent.regions:
        for block in region.blocks:
            last = block.last_op
            if last is None or not last.has_trait(IsTerminator):
                return (last or parent), "the block does not end in a terminator"
    return None


def _name_error(op: Operation, names: set[StringAttr]) -> str | None:
    name = op.properties.get("name")
    if not isinstance(name, StringAttr):
        return None
    if name in names:
        return f"name {name} is taken by an op above: names are unique in a function"
    names.add(name)
    return None
