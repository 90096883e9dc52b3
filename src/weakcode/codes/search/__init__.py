"""Finding codes by words: an index of titles and terms, the words that people say instead, and a ranking."""
