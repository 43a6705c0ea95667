"""The bundle: what an auditor receives. `bundle.build.build` writes one; `shared.deliver.verify` checks it.

`manifest`, `derived` and `readme` are what both sides must agree on; the rest is the builder's.
"""
