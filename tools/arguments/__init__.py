"""Arguments that several programs share."""
