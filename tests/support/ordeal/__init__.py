"""A run in which everything is killed at random, and the ledger that judges it."""
