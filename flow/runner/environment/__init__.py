"""What a process finds around it: variables, and where flow was called."""
