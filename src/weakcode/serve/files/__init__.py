"""Files that the page is given: taken, scrubbed, and gone through as a work list."""
