"""Verify: recompute, offline, everything that can be recomputed. Standard library, `cryptography` and pure modules only.

    verify_bundle   what an auditor received
    verify_store    a whole store

Both give a `Verdict`: problems (exit 1), gaps (exit 3), and in plain sentences what was checked and what was not. The only error either
raises about evidence is `shared.errors.VerificationError`, and only where nothing at all can be said.
"""

from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.deliver.verify.verdict import Gap, Problem, Verdict

__all__ = ["Gap", "Problem", "Verdict", "verify_bundle", "verify_store"]
