"""What the commands and the Python interface do: run, map, search, compare."""
