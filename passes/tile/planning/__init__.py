"""How layers are divided over cores, cut into tiles, placed and supplied: the choices, the searches and their trace."""
