"""Arguments that several programs share, and what they mean."""
