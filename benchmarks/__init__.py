"""Studies that are run for their results, and measurements of speed, scale and reliability."""
