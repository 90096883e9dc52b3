"""Coverage policies and the service lines of batches."""
