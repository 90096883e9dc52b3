"""CSV: rows of cells, and cells of columns."""
