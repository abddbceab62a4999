"""``flow start --watch``: which files changed, and what restarts."""
