"""Where label rows go."""
