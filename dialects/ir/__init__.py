"""What every dialect needs and no op is in: attributes, locations, verification, weights, examples."""
