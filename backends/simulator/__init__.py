"""The simulator of programs: values and cycles."""
