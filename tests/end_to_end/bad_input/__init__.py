"""Bad input gives a diagnostic: what, where, what to do; exit code 1, no traceback, nothing half-written."""
