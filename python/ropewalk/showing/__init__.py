"""What a project holds now: its labels, and the projects themselves; Encord Active's sync, which shows it."""
