"""The instruction set: one class per instruction, its fields, accesses and costs; no xDSL."""
