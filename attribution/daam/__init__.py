"""Attention maps of diffusers pipelines: the part of the package that loads torch."""
