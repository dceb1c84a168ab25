"""The stage that makes articles of documents: topic, duplicates, stories."""
