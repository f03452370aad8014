"""Tests of the tools that look for faults."""
