"""Plain values that several stages share."""
