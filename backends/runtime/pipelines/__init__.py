"""Several models with work of the host between them, through which items go one behind the other."""
