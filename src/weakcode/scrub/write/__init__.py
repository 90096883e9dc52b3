"""Findings, rejects and mended claims out."""
