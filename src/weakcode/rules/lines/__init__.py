"""What rules say of service lines."""
