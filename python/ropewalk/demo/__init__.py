"""The demo: the main job on synthetic data and a local Encord, with no account."""
