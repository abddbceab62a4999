"""The releases of a project: its code, its config vars and its formation, numbered."""
