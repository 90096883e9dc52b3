"""What a run tells of itself in files: its counts, events, and records."""
