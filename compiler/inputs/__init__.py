"""Arrays for the inputs of a network: read from files, or random; and arrays written to files."""
