"""The functions that instructions compute, on whole tiles in packed, padded buffers.

A function's keyword arguments are its instruction's fields (backends/instructions/), with arrays in place of addresses.
An array is given in the shape its docstring names, or flat ([..., elements]); any axes before that are samples. All
samples share weights, tables and taps, unless these have leading axes for samples of their own. Results are new arrays,
and every element up to the pitch is defined: 0 in accumulators and floats, the output's zero point in integers. Rows of
which less is written end there: `written` is the field `out_columns`, or `out_pitch` if that is 0. Each function
raises ValueError if an array does not have the elements that the fields ask for.
"""
