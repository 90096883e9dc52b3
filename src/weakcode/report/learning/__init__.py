"""How often findings were followed by denials, learnt from remittances, as denial risks of a profile."""
