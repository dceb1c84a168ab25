"""Works through stored pages and documents again with the current rules."""
