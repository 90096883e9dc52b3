"""Commands about codes: code, find, edition."""
