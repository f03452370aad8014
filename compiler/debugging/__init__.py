"""Tools that look for the cause of a fault: bisect a pipeline, reduce a model, extract a part."""
