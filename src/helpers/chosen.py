"""The reports that are made when none is asked for by name."""

from typing import Any

REPORTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("06_across_outages", {}),  # takes longest: begun first, all end together
    ("01_outage_history", {}),
    ("02_growth_figures", {}),
    ("02_growth_figures", {"service": "line", "outage_id": "whatsapp-2014-02-22"}),
    ("02_growth_figures", {"service": "telegram", "outage_id": "facebook-2021-10-04"}),
    *(
        ("03_adoption_after_outage", {"outage_id": outage})
        for outage in (
            "whatsapp-2014-02-22",
            "facebook-2019-03-13",
            "facebook-2021-10-04",
            "whatsapp-2015-12-17-brazil",
            "tiktok-2026-01-25-us",
        )
    ),
    ("04_measured_signups", {}),
    ("05_who_gained", {}),
    ("07_next_outage", {}),
)
