"""The files of a release: Tabular List, Alphabetic Index, order files and addenda, detected by content."""
