"""A study's own files and code: found, fingerprinted, imported, or refused."""
