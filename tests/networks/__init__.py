"""Networks that people bring first, made without downloads: topologies with seeded weights, and models from files.

`python -m tests.networks NAME out.onnx` writes one; `catalog.NETWORKS` has them all.
"""
