"""Traffic: inferences that arrive in time or one after the other, and what became of them."""
