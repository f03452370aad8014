"""Checks that IR survives its text: that what is printed is read back the same."""

from __future__ import annotations

import difflib

from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.text.module_text import parse_module, print_module

_SHOWN_LINES = 12


def verify_round_trip(module: ModuleOp, ctx: SmaltiContext, file: str) -> None:
    """Print `module` in both forms, read that and print it again.

    Raises DiagnosticError, with a diff, if the texts are not the same to the letter.
    """
    for generic in (False, True):
        form = "the generic form" if generic else "the custom form"
        text = print_module(module, generic=generic)
        again = ctx.clone()
        try:
            read = parse_module(text, again, f"<{form} of {file}>")
        except DiagnosticError as error:
            error.message = (
                f"IR does not survive its text: {form} is not read back: {error.message}"
            )
            raise
        difference = list(
            difflib.unified_diff(
                text.splitlines(),
                print_module(read, generic=generic).splitlines(),
                "printed",
                "printed again",
                lineterm="",
                n=1,
            )
        )
        if difference:
            raise DiagnosticError(
                f"IR does not survive its text: {form} is read back as something else",
                notes=["\n".join(["first differences:", *difference[:_SHOWN_LINES]])],
            )
