"""Schedules: what the clock enqueues, and when."""
