"""The simulator of programs, which computes values and counts cycles."""
