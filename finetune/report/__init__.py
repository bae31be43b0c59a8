"""The report of a study: Markdown, figures and CSV files made of an analysis."""
