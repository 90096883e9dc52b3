"""Commands about findings of a run."""
