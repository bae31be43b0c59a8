"""Coverage-guided fuzzing of files of unknown origin: `python -m tests.fuzz --seconds 60`."""
