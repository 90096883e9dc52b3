"""Mended claims written back into the file that they came from."""
