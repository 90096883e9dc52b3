"""Ids of the claims of a run: which were met before, in memory that does not grow with them."""
