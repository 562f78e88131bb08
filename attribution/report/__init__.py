"""Analyses of a folder of generations as rows, JSON, CSV, figures and one page: ``python -m attribution analyse``."""
