"""The rows of a study: read from their source, turned into numbers, and split."""
