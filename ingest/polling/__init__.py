"""The stage that asks feeds for new entries."""
