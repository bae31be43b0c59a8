"""The population engine: all runs of a task at once, one row of weights a trajectory."""
