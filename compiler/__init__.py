"""The compiler: import, pipelines, calibration, and the public API.

`compile_model`, `load_program` and `import_model` are what users of Smalti in Python call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import CompiledModel, ImportedModel, compile_model, import_model, load_program

__all__ = ["CompiledModel", "ImportedModel", "compile_model", "import_model", "load_program"]


def __getattr__(name: str) -> Any:
    """Loads the API when it is first asked for: `import smalti.compiler` alone stays cheap."""
    if name in __all__:
        from . import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
