"""Plugins: passes, dialects, targets and instructions from users' files and packages."""
