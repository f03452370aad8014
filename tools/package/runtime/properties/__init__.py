"""The names of properties, by the names of OpenVINO's module `properties`, and ours."""

# The folders stand beside this file only where Smalti is installed.
# pyright: reportMissingImports=false

from ...backends.runtime.api.property_name import PropertyName
from . import device, hint, intel_auto

__all__ = ["device", "hint", "intel_auto"]

auto_batch_timeout = PropertyName("AUTO_BATCH_TIMEOUT")
available_devices = PropertyName("AVAILABLE_DEVICES")
execution_devices = PropertyName("EXECUTION_DEVICES")
max_batch_size = PropertyName("MAX_BATCH_SIZE")
model_name = PropertyName("NETWORK_NAME")
optimal_batch_size = PropertyName("OPTIMAL_BATCH_SIZE")
optimal_number_of_infer_requests = PropertyName("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
range_for_async_infer_requests = PropertyName("RANGE_FOR_ASYNC_INFER_REQUESTS")
range_for_streams = PropertyName("RANGE_FOR_STREAMS")
supported_properties = PropertyName("SUPPORTED_PROPERTIES")

OURS = (
    "batching_policy", "calibration", "cores", "deadline", "deadline_action", "instances", "max_queue", "quantize",
    "set_size", "target", "time_scale", "values",
)  # fmt: skip
"""Names that OpenVINO does not have."""
batching_policy = PropertyName("BATCHING_POLICY")
calibration = PropertyName("CALIBRATION")
cores = PropertyName("CORES")
deadline = PropertyName("DEADLINE")
deadline_action = PropertyName("DEADLINE_ACTION")
instances = PropertyName("INSTANCES")
max_queue = PropertyName("MAX_QUEUE")
quantize = PropertyName("QUANTIZE")
set_size = PropertyName("SET_SIZE")
target = PropertyName("TARGET")
time_scale = PropertyName("TIME_SCALE")
values = PropertyName("VALUES")
