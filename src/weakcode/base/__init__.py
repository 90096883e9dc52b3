"""What every room may use: values kept without a lock, the day of the run, progress, the one lock."""
