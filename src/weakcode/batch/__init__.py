"""Many claims: reading files, evaluating claim by claim, writing findings."""
