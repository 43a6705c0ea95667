"""The period view: for how much of a period each control of each resource was evidenced, and what it was. Pure, one pass, recomputed by `verify`.

`timeline` is one control of one resource, `population` what existed when, `fold` the pass over the records, `summary` what is said of it all.
The definitions are in docs/period.md.
"""
