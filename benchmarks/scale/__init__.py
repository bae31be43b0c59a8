"""What a study costs on a cluster and on disk, measured, and what far larger ones would."""
