"""The names of AUTO's properties, and their values."""

# The folders stand beside this file only where Smalti is installed.
# pyright: reportMissingImports=false

from ...backends.runtime.api.property_name import PropertyName
from ...backends.runtime.api.property_values import SchedulePolicy

__all__ = ["SchedulePolicy"]

enable_runtime_fallback = PropertyName("ENABLE_RUNTIME_FALLBACK")
enable_startup_fallback = PropertyName("ENABLE_STARTUP_FALLBACK")
schedule_policy = PropertyName("SCHEDULE_POLICY")
