"""Studies run for their results; measurements of speed, scale, reliability and validity."""
