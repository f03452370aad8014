"""The names of properties that say what is to be good, and their values."""

# The folders stand beside this file only where Smalti is installed.
# pyright: reportMissingImports=false

from ...backends.runtime.api.property_name import PropertyName
from ...backends.runtime.api.property_values import PerformanceMode, Priority

__all__ = ["PerformanceMode", "Priority"]

allow_auto_batching = PropertyName("ALLOW_AUTO_BATCHING")
model = PropertyName("MODEL_PTR")
model_priority = PropertyName("MODEL_PRIORITY")
num_requests = PropertyName("PERFORMANCE_HINT_NUM_REQUESTS")
performance_mode = PropertyName("PERFORMANCE_HINT")
