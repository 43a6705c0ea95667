"""Dated tables that judging rests on, loaded once: regions and data zones, deployment SKUs, hosts of the clouds, built-in roles.

Each table names its date and its source; a finding that rests on one names the date. What a table does not hold is unknown.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The packaged table `name`: `regions`, `skus`, `hosts` or `roles`. Never changed by its readers."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
