"""Loaded models in service: instances, the server of a device, and AUTO over several devices."""
