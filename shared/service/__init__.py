"""The use-cases, one module each, and `compose`, the one place that builds the object graph. The clock and randomness come in here."""
