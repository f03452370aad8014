"""What each instruction computes, on whole tiles in packed, padded buffers.

A function's keyword arguments are its instruction's fields (backends/instructions/); arrays stand where
the instruction has addresses. An array is given in the shape its docstring names, or flat ([...,
elements]); any axes before that are samples. Weights, tables and taps are shared by all samples or,
with leading axes, each sample's own. Results are new arrays, and every element up to the pitch is
defined: 0 in accumulators and floats, the output's zero point in integers. Each function raises
ValueError if an array does not have the elements that the fields ask for.
"""
