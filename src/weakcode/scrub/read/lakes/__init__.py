"""Tables of Delta Lake and Iceberg on a disk."""
