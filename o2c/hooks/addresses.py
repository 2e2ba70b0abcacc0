"""Which addresses of the network are public: the others are not told of anything unless an admin allows it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address stands in its last 32 bits (RFC 6052 section 2.1)."""
_COMPATIBLE = IPv6Network("::/96")
"""As in the old IPv4-compatible addresses (RFC 4291 section 2.5.5.1)."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public network, by the registries of special addresses (RFC 6890), wherever an IPv4 one stands in
    it."""
    inner = _within(address)
    return address.is_global and not _is_never_told(address) if inner is None else is_public(inner)


def is_allowed(address: Address, *, private: bool) -> bool:
    """Whether an address may be told: a public one; where `private` ones are allowed, those of our own network and this machine too.

    Never one of many receivers, of a link (where clouds keep the credentials of a machine), or of nobody.
    """
    if not private:
        return is_public(address)
    inner = _within(address)
    return is_allowed(inner, private=True) if inner is not None else not _is_never_told(address)


def _is_never_told(address: Address) -> bool:
    # Of the two families only IPv4 has a class of addresses for later use; ::1 counts as reserved too, for it stands in ::/8.
    later = address.version == 4 and address.is_reserved
    return address.is_multicast or address.is_link_local or address.is_unspecified or later


def _within(address: Address) -> IPv4Address | None:
    """The IPv4 address that a packet to an IPv6 one reaches in the end."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None or address.sixtofour is not None:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    compatible = address in _COMPATIBLE and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 or compatible else None
