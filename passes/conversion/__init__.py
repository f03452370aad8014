"""The steps from one level to the next."""
