"""The search engine: a strategy proposes points of a space, an evaluator measures them, a file keeps the results."""
