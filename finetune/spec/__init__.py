"""A study as data: what a TOML file says, checked, frozen, and known by its recipes."""
