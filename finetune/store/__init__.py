"""What is kept on disk: finished runs in Parquet shards, and the manifest of a study."""
