"""A small app for tests: tasks, and plain functions as RQ's users have them."""
