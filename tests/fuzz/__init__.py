"""Coverage-guided fuzzing of what a stranger may send: `python -m tests.fuzz --seconds 60`."""
