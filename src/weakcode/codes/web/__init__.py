"""Releases of CDC and CMS on the web."""
