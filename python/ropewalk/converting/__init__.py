"""Predictions to a file: label rows, a table, or a COCO dataset."""
