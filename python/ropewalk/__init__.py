"""Bulk import of model predictions into Encord prediction branches."""
