"""Imports measured beside their alternatives, in one run on the same server and tables: `python -m bench`."""
