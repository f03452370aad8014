"""Functions of ONNX's ops that define ops of ONNX Runtime's domain: those that its optimizer and quantizer write."""
