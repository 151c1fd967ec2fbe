"""Predictions against labels by COCO's metrics."""
