"""Where tasks are trained: in this process, in local worker processes, or on a Dask cluster."""
