"""Encord as a sink. The `encord` SDK is touched in this package only (and by the snapshot of a live project)."""
