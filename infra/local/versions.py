"""The api-versions that each provider accepts; any other is refused, as Azure refuses it.

Microsoft.CognitiveServices after bicep-types-az and recorded requests; the others are those that tools are known to use.
One simplification: an accepted version always gives the shape of the newest, where a real old one leaves properties out.
"""

COGNITIVE = frozenset(
    {
        "2017-04-18",
        "2021-04-30",
        "2021-10-01",
        "2022-03-01",
        "2022-10-01",
        "2022-12-01",
        "2023-05-01",
        "2024-10-01",
        "2025-06-01",
        "2025-09-01",
        "2025-12-01",
        "2026-03-01",
        "2026-05-01",
        "2026-07-01",
        "2026-09-01",
        "2023-10-01-preview",
        "2024-04-01-preview",
        "2024-06-01-preview",
        "2025-04-01-preview",
        "2025-10-01-preview",
        "2026-01-15-preview",
        "2026-03-15-preview",
        "2026-05-15-preview",
        "2026-07-15-preview",
        "2026-09-15-preview",
    }
)
SUBSCRIPTIONS = frozenset(
    {"2016-06-01", "2018-06-01", "2019-06-01", "2019-11-01", "2020-01-01", "2021-01-01", "2021-04-01", "2022-09-01", "2022-12-01"}
)
DIAGNOSTIC_SETTINGS = frozenset({"2017-05-01-preview", "2021-05-01-preview"})
ACTIVITY_LOG = frozenset({"2014-04-01", "2015-04-01", "2017-03-01-preview"})
STORAGE = frozenset({"2023-01-01", "2023-05-01", "2024-01-01", "2025-01-01", "2025-06-01"})
ROLE_ASSIGNMENTS = frozenset({"2015-07-01", "2018-07-01", "2020-04-01-preview", "2022-04-01"})


def since(versions: frozenset[str], first: str) -> frozenset[str]:
    """Those of `versions` that are not older than `first` (a date; previews count with theirs)."""
    return frozenset(version for version in versions if version[:10] >= first)
