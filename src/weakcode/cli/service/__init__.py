"""Commands that keep running for others: serve."""
