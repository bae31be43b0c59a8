"""How often verdicts are wrong, and how many seeds they take: counted in drawn studies."""
