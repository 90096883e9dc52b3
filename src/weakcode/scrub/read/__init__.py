"""Files of claims in: bytes to claims or columns, and what is rejected."""
