"""A findings file as one page for the browser (extra `report`)."""
