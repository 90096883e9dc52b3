"""Findings into tables: what is done in which order, and a class for each kind of database."""
