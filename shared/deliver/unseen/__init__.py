"""What could not be seen: questions without an answer, subscriptions that are out of sight, times at which nobody looked. Pure, given records.

`stretches` is the pass over answers and findings, `subscriptions` and `slots` are over plans alone, `words` says it all in sentences.
"""
