"""aoai-evidence: the library ("shared" by the functions and the command line)."""

__version__ = "0.1.0"
