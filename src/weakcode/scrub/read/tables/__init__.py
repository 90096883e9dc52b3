"""Tables in any format: which column holds what, the forms of its values, and claims from rows and columns."""
