"""The files of a release: Tabular List, Alphabetic Index, order files and addenda, told by content."""
