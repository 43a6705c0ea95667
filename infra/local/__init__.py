"""A stand-in for Azure on loopback: Resource Manager, accounts' own endpoints, logs. Documented behaviour, faults included, never kinder.

    world      the subscriptions, accounts and all that hangs on them; every change is a method
    scenarios  a company's estate for the demo, what drifts in it, and estates of any size for benchmarks
    server     serves a world over HTTP, in a thread or (`python -m infra.local`) in a process of its own
    data_plane what the accounts hold, as `world.data`; served at an address of each account (`server`, `data_ports`)
    activity_log, resource_log, log_query   what is told of changes and calls: late, and not of everything
    truth      what really happened, as `world.truth`: the oracle for whoever draws conclusions
    history    random histories, and `tuning_story` the demo's
    faults     what goes wrong, when, and how; `data_faults` and `log_faults` beside it
    recorded   a world made of recorded real answers
    endpoints_tls   endpoints of accounts to shake hands with

Production code does not import this package, save `simulate` and `demo` when they are run. Nothing here talks to anything but 127.0.0.1.
"""
