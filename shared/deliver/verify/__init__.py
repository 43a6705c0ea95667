"""Verify: recompute, offline, everything that can be recomputed. Standard library, `cryptography` and pure modules only.

    verify_bundle   what an auditor received
    verify_store    a whole store

Both give a `Verdict`: problems (exit 1), gaps (exit 3), and in plain sentences what was checked and what was not. The only error either
raises about evidence is `shared.errors.VerificationError`, and only where nothing at all can be said.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.deliver.verify.bundle import verify_bundle
    from shared.deliver.verify.store import verify_store
    from shared.deliver.verify.verdict import Gap, Problem, Verdict

__all__ = ["Gap", "Problem", "Verdict", "verify_bundle", "verify_store"]

_HOMES = {"Gap": "verdict", "Problem": "verdict", "Verdict": "verdict", "verify_bundle": "bundle", "verify_store": "store"}


def __getattr__(name: str) -> Any:
    """Each name when it is asked for: what the builder of bundles shares with the verifier imports modules of it, and is imported by others."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(name)
