"""The timing simulator: the machine's rules, costs of instructions, shared bandwidth, and the results in cycles."""
