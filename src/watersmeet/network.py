"""Networks: how coarsely an address is remembered, so that people recognise their own and nobody is traced."""

from __future__ import annotations

from ipaddress import ip_address, ip_network


def network_of(address: str | None) -> str | None:
    """The network of an address, like ``192.0.2.0/24``; this computer's own stay whole. ``None`` for anything else."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if parsed.is_loopback:
        return str(parsed)
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))
