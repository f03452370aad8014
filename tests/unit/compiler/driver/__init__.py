"""Tests of what drives passes for a person who looks on."""
