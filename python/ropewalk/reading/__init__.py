"""From what a user names to batches of predictions: sources, their formats, tables."""
