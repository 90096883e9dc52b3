"""The parts of a batch of claims as columns."""
