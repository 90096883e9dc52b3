"""Batches and single claims judged, and their findings as columns."""
