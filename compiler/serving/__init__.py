"""The simulated card as a device of the runtime: models are compiled for it in processes of their own."""
