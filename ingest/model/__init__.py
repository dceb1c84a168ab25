"""Plain values shared by several stages."""
