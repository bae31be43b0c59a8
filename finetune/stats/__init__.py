"""The statistics behind the verdicts: arrays and tables of runs in, numbers out."""
