"""Topics: what topics.yaml says, and whether a text is about it."""
