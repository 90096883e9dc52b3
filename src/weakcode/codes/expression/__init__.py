"""Code expressions: from text to sets of codes of an edition, and back to text."""
