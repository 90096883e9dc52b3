"""Many claims: files read, judged in columns or one by one, findings written."""
