"""Runs the processes of a Procfile; knows no Redis."""
