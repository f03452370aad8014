"""Passes, dialects, targets and instructions that files and packages of users bring."""
