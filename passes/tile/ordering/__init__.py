"""The order of steps: plays of a program with estimated times."""
