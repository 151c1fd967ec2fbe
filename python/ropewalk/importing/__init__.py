"""The main job and what goes with it: stage, send, verify, roll back, and how far imports are."""
