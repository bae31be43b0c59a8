"""The figures of a report, one object each."""
