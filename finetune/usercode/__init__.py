"""Files and code that a study names: found, identified by SHA-256, imported, or refused."""
