"""A report as one HTML page: its Markdown rendered, its figures, style and script within it."""
