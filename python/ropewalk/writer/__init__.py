"""Predictions written while a model runs: arrays in, rows of the IR out."""

from ropewalk.writer.prediction_writer import PredictionWriter

__all__ = ["PredictionWriter"]
