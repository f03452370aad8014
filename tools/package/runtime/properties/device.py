"""The names of properties of devices."""

# The folders stand beside this file only where Smalti is installed.
# pyright: reportMissingImports=false

from ...backends.runtime.api.property_name import PropertyName

capabilities = PropertyName("OPTIMIZATION_CAPABILITIES")
full_name = PropertyName("FULL_DEVICE_NAME")
priorities = PropertyName("MULTI_DEVICE_PRIORITIES")
