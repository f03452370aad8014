"""The families of named functions: each module has a table `FUNCTIONS`, and is known by being here."""
