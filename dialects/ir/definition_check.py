"""Turns definitions of ops into quick predicates.

xDSL interprets an op's definition (operand and result types, properties, traits) anew for every op that it verifies,
which takes 20 to 30 µs. The definitions of this project are made of few kinds of constraints, so most of them can be
turned into one function for each class of ops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, ArrayOfConstraint
from xdsl.ir import Attribute, Operation
from xdsl.irdl import (
    AnyAttr,
    BaseAttr,
    EqAttrConstraint,
    OpDef,
    OptionalDef,
    OptPropertyDef,
    ParamAttrConstraint,
    RangeLengthConstraint,
    RangeOf,
    VariadicDef,
)
from xdsl.traits import HasCanonicalizationPatternsTrait, HasFolder, OpTrait

from .foreign_object import CONTAINERS, holds_attributes_only

Predicate = Callable[[Any], bool]
_Values = tuple[float, float, type[Attribute]]
"""Least and greatest number of operands or results, and the class that all their types have."""


def checks_by_itself(definition: OpDef) -> bool:
    """Tell whether the op has neither regions nor successors, and no trait that looks at its place or contents."""
    return not (definition.regions or definition.successors) and all(
        type(trait).verify is OpTrait.verify
        # Folding and canonicalization say nothing about whether an op is right.
        or isinstance(trait, HasFolder | HasCanonicalizationPatternsTrait)
        for trait in definition.traits
    )


def definition_predicate(definition: OpDef) -> Callable[[Operation], bool] | None:
    """Return a function that is true only of ops that the definition allows; None if no quick one can be made.

    If the function returns False the op may still be right: `definition.verify` decides, and says what is wrong.
    """
    operands, results = _values(definition.operands), _values(definition.results)
    properties = {n: attribute_predicate(d.constr) for n, d in definition.properties.items()}
    known = all(predicate is not None for predicate in properties.values())
    if operands is None or results is None or not known or not checks_by_itself(definition):
        return None
    if definition.attributes or definition.options:
        return None
    required = {n for n, d in definition.properties.items() if not isinstance(d, OptPropertyDef)}

    def holds(op: Operation) -> bool:
        if op.regions or op.successor_uses or not required <= op.properties.keys():
            return False
        for name, attribute in op.properties.items():
            predicate = properties.get(name)
            if predicate is None or not predicate(attribute):
                return False
        for (least, most, base), values in ((operands, tuple(op.operands)), (results, op.results)):
            if not least <= len(values) <= most:
                return False
            for value in values:
                if not isinstance(value.type, base):
                    return False
        return True

    return holds


def attribute_predicate(constraint: Any) -> Predicate | None:
    """Return a constraint on an attribute as a function; None for a kind of constraint that is not known here."""
    match constraint:
        case AnyAttr():
            return holds_attributes_only
        case BaseAttr():
            base = constraint.attr
            if not issubclass(base, CONTAINERS):
                return lambda attribute: isinstance(attribute, base)
            return lambda value: isinstance(value, base) and holds_attributes_only(value)
        case EqAttrConstraint():
            expected = constraint.attr
            return lambda attribute: attribute is expected or attribute == expected
        case ParamAttrConstraint():
            return _parameters_predicate(constraint)
        case ArrayOfConstraint(elem_range_constraint=RangeOf(constr=element)):
            return _elements_predicate(element)
        case _:
            return None


def _elements_predicate(constraint: Any) -> Predicate | None:
    """Return a function that tells whether every attribute of a list fulfills `constraint`."""
    predicate = attribute_predicate(constraint)
    if predicate is None:
        return None
    return lambda attribute: (
        isinstance(attribute, ArrayAttr) and all(map(predicate, attribute.data))
    )


def _parameters_predicate(constraint: ParamAttrConstraint[Any]) -> Predicate | None:
    base = constraint.base_attr
    names = [name for name, _ in base.get_irdl_definition().parameters]
    if len(names) != len(constraint.param_constrs):
        return None
    checks: list[tuple[str, Predicate]] = []
    for name, each in zip(names, constraint.param_constrs, strict=True):
        predicate = attribute_predicate(each)
        if predicate is None:
            return None
        if not isinstance(each, AnyAttr):
            checks.append((name, predicate))

    def holds(attribute: Attribute) -> bool:
        if not isinstance(attribute, base):
            return False
        for name, predicate in checks:  # noqa: SIM110 (a generator would cost as much as the checks)
            if not predicate(getattr(attribute, name)):
                return False
        return True

    return holds


def _values(definitions: Sequence[tuple[str, Any]]) -> _Values | None:
    """Return how many operands or results there may be, and their class. Return None if they differ in class, or if
    their number does not settle how many belong to each field.
    """
    bases = {_base(definition.constr) for _, definition in definitions} or {Attribute}
    variadic = [d for _, d in definitions if isinstance(d, VariadicDef)]
    base = bases.pop()
    if bases or base is None or len(variadic) > 1:
        return None
    most = inf if variadic and not isinstance(variadic[0], OptionalDef) else len(definitions)
    return len(definitions) - len(variadic), most, base


def _base(constraint: Any) -> type[Attribute] | None:
    """Return the class of which a constraint requires each type to be, if it requires nothing else; None for other
    constraints.
    """
    if isinstance(constraint, RangeLengthConstraint):
        constraint = constraint.constraint
    if not isinstance(constraint, RangeOf):
        return None
    match constraint.constr:
        case AnyAttr():
            return Attribute
        case BaseAttr():
            return constraint.constr.attr
        case _:
            return None
