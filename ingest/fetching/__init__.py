"""The stage that fetches the pages of new entries."""
