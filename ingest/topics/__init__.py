"""Topics: read topics.yaml, and judge whether a text is about one."""
