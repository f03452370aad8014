"""What all dialects need: attributes, locations, text, verification, weights, examples. No op is defined here."""
