"""The way of a byte from a process to the screen and to the log."""
