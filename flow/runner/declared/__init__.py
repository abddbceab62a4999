"""What is declared: the Procfile, the settings of its types, and the formation."""
