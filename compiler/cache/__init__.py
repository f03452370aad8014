"""Programs that were compiled before, in a folder, by the content of all that they are made of."""
