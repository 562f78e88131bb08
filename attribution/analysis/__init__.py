"""Statistics of human judgements: agreement, aggregation and intervals. NumPy only."""
