"""Parquet, Arrow files and IPC streams."""
