"""The sections of a report, one object each."""
