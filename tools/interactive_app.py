"""Makes xDSL's interactive app show what a pass raises instead of ending; can be imported only with textual."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.interactive.app import InputApp
from xdsl.interactive.passes import AvailablePass
from xdsl.passes import ModulePass

from ..backends.diagnostics.diagnostic import as_diagnostic, contained
from ..backends.diagnostics.plugin_fault import plugin_frame


class SmaltiApp(InputApp):
    """xDSL's app; passes that fail leave it running."""

    # A name alone would be looked for beside this file.
    CSS_PATH = Path(inspect.getfile(InputApp)).with_name("app.tcss")

    def compute_available_pass_list(self) -> tuple[AvailablePass, ...]:
        """Return the passes that can follow; none if the chosen ones fail, which the output shows."""
        try:
            return super().compute_available_pass_list()
        except Exception:
            return ()


@cache
def told(cls: type[ModulePass]) -> type[ModulePass]:
    """Return a pass whose errors the app can show, also those that would end the program or cannot be printed."""

    def apply(self: ModulePass, ctx: Context, op: ModuleOp) -> None:
        try:
            with contained(f"in pass '{cls.name}'"):
                cls.apply(self, ctx, op)
        except Exception as error:
            if plugin_frame(error.__traceback__) is None:
                raise
            raise as_diagnostic(error) from error

    return type(cls.__name__, (cls,), {"apply": apply})
