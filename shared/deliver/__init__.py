"""Deliver: bundles and their verification, the report, exports. Nothing here writes upstream."""
