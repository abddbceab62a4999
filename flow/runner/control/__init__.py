"""What a running session is asked, how it answers, and who asks."""
