"""A small gallery: drop pictures on a page, and jobs make the rest."""
