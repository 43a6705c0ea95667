"""A stand-in for Azure Resource Manager on loopback: documented behaviour, its faults included, and never kinder than Azure.

    world      the subscriptions, accounts and all that hangs on them; every change is a method
    scenarios  a company's estate for the demo, what drifts in it, and estates of any size for benchmarks
    server     serves a world over HTTP, in a thread or (`python -m infra.local`) in a process of its own
    faults     what goes wrong, when, and how
    recorded   a world made of recorded real answers
    endpoints_tls   endpoints of accounts to shake hands with

Production code does not import this package, save `simulate` and `demo` when they are run. Nothing here talks to anything but 127.0.0.1.
"""
