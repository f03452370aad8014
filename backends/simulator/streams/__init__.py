"""The decoded streams of a program, as both simulators read them, and what instructions wait for in a deadlock."""
