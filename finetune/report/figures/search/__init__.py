"""The figures of a search, one a file."""
