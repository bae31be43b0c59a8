"""A study's results as tables, figures and a Markdown report."""
