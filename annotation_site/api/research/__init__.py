"""The researcher's part of the API: studies with all that belongs to them, read and run by programs."""
