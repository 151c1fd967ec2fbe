"""What predictions hold, and what in them looks wrong, before anything is imported."""
