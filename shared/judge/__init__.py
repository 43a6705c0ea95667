"""Judging: a pure function of the evidence, the profile and the catalogue. No I/O, no clock, no environment, no randomness.

    engine       what the service and the verifier call
    catalogue    the statements and controls, as data with a version
    checks       one small function per control
    profile      what the organisation expects
    location     region to geography, EEA and data zone; deployment SKU to processing scope
    drift        what changed between two states of a resource

Checks read evidence through `case` and `reading`, and say what they conclude through `verdict`.
"""
