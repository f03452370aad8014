"""The program in service: inferences of many callers, gathered into batches and run on devices."""
