"""What there is to read about each rule: gathered once, shown in the terminal and written as pages."""
