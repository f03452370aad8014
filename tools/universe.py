"""Every dialect and pass of Smalti for xDSL's own tools, which find it by the entry point group `xdsl.universe`.

Each is imported when a tool asks for it.
"""

from __future__ import annotations

from functools import partial

from xdsl.universe import Universe

from ..dialects.context import DIALECTS
from ..passes.registry import PASSES, get_pass

XDSL_DIALECTS = frozenset({"builtin", "func"})
"""Dialects of xDSL that Smalti's IR uses."""
XDSL_PASSES = frozenset({"canonicalize", "cse"})
"""Names of passes that xDSL has as well: in xDSL's tools they are xDSL's, which carry no
locations. A second pass of such a name would keep every xDSL tool from starting."""

SMALTI_UNIVERSE = Universe(
    all_dialects={name: factory for name, factory in DIALECTS.items() if name not in XDSL_DIALECTS},
    all_passes={name: partial(get_pass, name) for name in PASSES if name not in XDSL_PASSES},
)
"""Smalti's dialects and passes, as xdsl-opt sees them."""
