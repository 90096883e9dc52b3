"""Compiled files: named binary sections, their shape, their checks, and those that are shipped."""
