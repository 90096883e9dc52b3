"""DRGs of inpatient claims, by CMS's grouper."""
