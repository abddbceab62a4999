"""What both workers and clocks run: the recoverer, the promoter, the janitor."""
