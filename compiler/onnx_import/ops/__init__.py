"""The import functions of ONNX's operators, which turn them into top ops: a file per family, known by being here."""
