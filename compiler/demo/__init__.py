"""The demo: the digits network, its images, and the run from file to cycles."""
