"""A payer's published coverage of procedures by diagnoses: read from CMS's files, kept, and put to service lines."""
