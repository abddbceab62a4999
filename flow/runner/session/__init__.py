"""A running session: what it is to run, who runs, and its one loop."""
