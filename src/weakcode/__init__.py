"""weakcode: a linter for diagnosis coding."""
