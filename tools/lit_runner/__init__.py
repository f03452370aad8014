"""Runs golden tests in lit's format in the process that is there: under pytest and under lit, ours and plugins'."""

from importlib.util import find_spec

_MISSING = [name for name in ("lit", "filecheck") if find_spec(name) is None]
if _MISSING:
    raise ModuleNotFoundError(
        f"golden tests need {' and '.join(_MISSING)}: pip install 'smalti[golden]'"
    )
