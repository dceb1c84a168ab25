"""User configuration: settings from the environment, feeds.yaml and events.yaml."""
