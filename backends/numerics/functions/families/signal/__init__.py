"""Functions of signals and sequences: spectra, and counts of n-grams."""
