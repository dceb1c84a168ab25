"""Worker processes, event loops, back-off and the clock."""
