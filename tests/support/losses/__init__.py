"""Calls whose replies get lost: one or more cases for every script of flow.

A case makes a call again and again. Each time the connection is cut after the server
ran the script and before its reply; the store repeats the call. A case fails when
that strands, doubles or falsely refuses anything.
"""
