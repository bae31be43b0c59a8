"""Claims and their verdicts: the rule that decides, as data, and the verdict in words."""
