"""The page of the named functions: what each computes, its attributes, and a call of it."""

from __future__ import annotations

import inspect

from ...backends.numerics import functions
from ...backends.numerics.functions.call import Call
from ...backends.numerics.functions.function import Function, Parameter
from ...backends.numerics.functions.registry import FUNCTIONS
from .markdown import code, page, prose, table


def function_page() -> str:
    """Return the page of all functions, in alphabetical order."""
    known = [FUNCTIONS[name] for name in sorted(FUNCTIONS)]
    return page(
        "Named functions",
        prose(inspect.cleandoc(functions.__doc__ or "")),
        "`top.call` names a function, and the host computes it. Operands of element-wise functions broadcast as\n"
        "NumPy's do; integers wrap at the ends of their range. Negative axes and indices count from the end, and an\n"
        "index that names nothing is an error when the program runs.",
        table(
            ["function", "what it computes"],
            ([f"[`{each.name}`](#{each.name})", each.summary] for each in known),
        ),
        *(_function(each) for each in known),
    )


def _function(function: Function) -> str:
    operands, attributes = function.example
    results = function.infer(operands, function.complete(attributes))
    shown = f"{Call.of(function.name, operands, attributes)} -> {', '.join(map(str, results))}"
    rows = (
        [f"`{name}`", _type(each), _default(each)] for name, each in function.parameters.items()
    )
    parts = [
        f"## `{function.name}`",
        function.summary,
        table(["attribute", "type", "default"], rows),
    ]
    if function.advice:
        parts.append(f"Instead of it: {function.advice}.")
    return "\n\n".join(part for part in [*parts, code(shown, "text")] if part)


def _type(parameter: Parameter) -> str:
    if parameter.choices:
        return "one of " + ", ".join(f"`{each}`" for each in parameter.choices)
    word = {bool: "bool", int: "integer", float: "real", str: "text"}[parameter.type]
    return f"list of {word}s" if parameter.is_list else word


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "must be given"
    default = parameter.default
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
