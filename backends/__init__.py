"""Everything that computes or runs: numerics, targets, instructions, programs, interpreters, the simulator."""
