"""The stage that turns documents into articles: topics, duplicates, stories."""
