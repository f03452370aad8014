"""The target that IR was lowered for: its name and content hash on the module, from the tpu level on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, StringAttr

from ...backends.diagnostics.diagnostic import DiagnosticError
from .location import place_of

if TYPE_CHECKING:
    from ...backends.targets.target import Target

TARGET = "smalti.target"
TARGET_HASH = "smalti.target_hash"


def set_target(module: ModuleOp, target_name: str, target: Target) -> None:
    """Note on the module which target it is lowered for: `target_name` as `load_target` takes it, and the target's
    hash.

    The attributes are put in the order of their names, as MLIR prints them, so that the text of a module does not
    depend on which of them was noted first.
    """
    module.attributes[TARGET] = StringAttr(target_name)
    module.attributes[TARGET_HASH] = StringAttr(target.content_hash)
    module.attributes = dict(sorted(module.attributes.items()))


def target_name_of(module: ModuleOp) -> str | None:
    """Return the name or path of the target that the module is lowered for, None if it names none."""
    name = module.attributes.get(TARGET)
    return name.data if isinstance(name, StringAttr) else None


def target_of(module: ModuleOp) -> Target:
    """Return the target that the module is lowered for.

    Raises DiagnosticError if the module names no target, or if the target's content has changed since the module was
    lowered for it.
    """
    name = target_name_of(module)
    if name is None:
        raise DiagnosticError(
            f"the module does not say for which target it is (no attribute '{TARGET}')",
            place_of(module),
            hint="lower it from top with convert-top-to-tpu{target=NAME}",
        )
    target = _load(name)
    noted = module.attributes.get(TARGET_HASH)
    if not isinstance(noted, StringAttr) or noted.data != target.content_hash:
        found = noted.data if isinstance(noted, StringAttr) else "no hash"
        raise DiagnosticError(
            f"the module was lowered for another '{name}': it has {found}, the target is "
            f"{target.content_hash}",
            place_of(module),
            hint="compile the model again for the target as it is now",
        )
    return target


def _load(name: str) -> Target:
    stamp = Path(name).stat().st_mtime_ns if Path(name).is_file() else 0
    return _load_cached(name, stamp)


@lru_cache(maxsize=16)
def _load_cached(name: str, stamp: int) -> Target:
    """Load a target once for all the passes that ask for it; `stamp`, the file's time, makes an edited file be read
    anew.
    """
    from ...backends.targets import target

    return target.load_target(name)
