"""What the Tabular List says, as edits and built-in code sets."""
