"""The report of a study: tables, figures, and the Markdown that holds them together.

`writing.write_report` writes all of it. The tables are pure data and load no drawing library.
"""
