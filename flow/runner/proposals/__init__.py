"""``flow init``: which processes a folder seems to have."""
