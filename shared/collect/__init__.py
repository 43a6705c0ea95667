"""Collect: ask Azure, keep the bytes. GET and nothing else; what could not be had is a value with its reason."""
