"""What predictions are imported into: a project, live or as a snapshot, and the plan made of it."""
