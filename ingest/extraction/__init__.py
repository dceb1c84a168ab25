"""The stage that turns a stored page into clean text with title, date, author and language."""
