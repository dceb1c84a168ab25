"""What users configure: settings from the environment, feeds.yaml and events.yaml."""
