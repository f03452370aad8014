"""Where a tensor saturates: what is kept of its numbers, and the methods that choose from it."""
