"""What computes: numerics, targets, programs, interpreters, the simulator."""
