"""The interface of callers, with OpenVINO's names: core, compiled model, requests, properties."""
