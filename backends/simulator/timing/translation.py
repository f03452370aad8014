"""Translates functions on a `machine_state.Machine` into functions on one array of numbers.

The array holds first the fields that are numbers and the places where tables begin, then the tables. `PLACES` says
where in the array the number of a field, or the beginning of its table, is. So

    m.now = m.end[i]        becomes        m[3] = m[m[17] + i]

There is one array only, because numba counts references to every array that a function is passed, which would take most
of the time.

A function that is to be translated does three things with its argument `m`: read and write a number
(`m.now`), read and write an entry of a table (`m.end[i]`), and pass `m` on as the first argument of a
function. All else in it is plain arithmetic on integers, which stay below 2^62.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .machine_state import SCALARS, TABLES

HEAP_BEGIN, HEAP_SIZE = "heap_begin", "heap_size"
"""Tables that only the array has, by heap: where its rows begin, and how many there are."""
ALL_TABLES = (*TABLES, HEAP_BEGIN, HEAP_SIZE)
PLACES = {name: place for place, name in enumerate((*SCALARS, *ALL_TABLES))}

_MACHINE = "m"


class TranslationError(Exception):
    """A function does something with the machine that cannot be translated."""


class _OnOneArray(ast.NodeTransformer):
    def __init__(self, file: str) -> None:
        self._file = file

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if not _is_machine(node.value):
            return self.generic_visit(node)
        if node.attr not in SCALARS:
            raise self._error(node, f"'{_MACHINE}.{node.attr}' is no number")
        return self._entry(ast.Constant(PLACES[node.attr]), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        table = node.value
        if not (isinstance(table, ast.Attribute) and _is_machine(table.value)):
            return self.generic_visit(node)
        if table.attr not in TABLES or isinstance(node.slice, ast.Slice):
            raise self._error(node, f"'{_MACHINE}.{table.attr}' is no table, or no entry is taken")
        begin = self._entry(ast.Constant(PLACES[table.attr]), table)
        index: ast.expr = self.visit(node.slice)
        return self._entry(ast.BinOp(begin, ast.Add(), index), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        first = node.args[:1] if node.args and _is_machine(node.args[0]) else []
        node.args = node.args[len(first) :]
        self.generic_visit(node)
        node.args = [*first, *node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if _is_machine(node):
            raise self._error(node, f"'{_MACHINE}' is neither read from nor passed on")
        return node

    def _entry(self, index: ast.expr, node: ast.Attribute | ast.Subscript) -> ast.expr:
        array = ast.Name(_MACHINE, ast.Load())
        entry = ast.Subscript(array, index, node.ctx)
        return ast.fix_missing_locations(ast.copy_location(entry, node))

    def _error(self, node: ast.expr, problem: str) -> TranslationError:
        return TranslationError(f"{self._file}:{node.lineno}: {problem}")


def _is_machine(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == _MACHINE


def translate(
    modules: list[ModuleType],
    known: dict[str, Callable[..., Any]],
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> dict[str, Callable[..., Any]]:
    """Translate the functions of `modules` whose first argument is `m`, each decorated; return them by name.

    The results call one another, and the functions `known` in place of those of the same names. They keep their files
    and lines, for tracebacks and for numba's files on disk. Raises TranslationError if one cannot be translated.
    """
    result = dict(known)
    for module in modules:
        file = module.__file__ or ""
        functions = [
            node
            for node in ast.parse(Path(file).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
            and node.args.args
            and node.args.args[0].arg == _MACHINE
        ]
        body: list[ast.stmt] = [_OnOneArray(file).visit(function) for function in functions]
        namespace = {**vars(module), **result}
        exec(compile(ast.Module(body, []), file, "exec"), namespace)
        for function in functions:
            namespace[function.name] = decorate(namespace[function.name])
            result[function.name] = namespace[function.name]
    return result
