"""The statistics behind the verdict: pure functions on arrays and DataFrames."""
