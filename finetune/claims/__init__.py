"""Claims and their verdicts: one kind of claim a file, the verdict as data, and its words."""
