"""The exports of other shops that are understood as they are. Adding one is adding one module to PROFILES."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from imports import columns
from imports.profiles import magento2, medusa, prestashop, shopify, spree, tallyman, vendure, woocommerce
from imports.profiles.headers import HeaderIndex
from imports.profiles.profile import Headers, Profile

PROFILES: tuple[Profile, ...] = (
    shopify.PROFILE, woocommerce.PROFILE, magento2.PROFILE, medusa.PROFILE, prestashop.PROFILE, spree.PROFILE,
    vendure.PROFILE, tallyman.PROFILE,
)  # fmt: skip
BY_NAME = {profile.name: profile for profile in PROFILES}


def recognise(header: Sequence[str]) -> Profile | None:
    """The shop that writes such a header, whatever its case, its order and what else is in it.

    Where several could be meant, the one whose signature names most columns of it; None if two name as many.
    """
    index = HeaderIndex(header)
    ranked = sorted(((_score(profile, index), profile) for profile in PROFILES), key=lambda one: -one[0])
    (best, profile), (second, _) = ranked[:2]
    return profile if best > second else None


def _score(profile: Profile, index: HeaderIndex) -> int:
    """How many columns the longest signature names that is all there; 0 if none is."""
    there = [
        signature
        for signature in profile.signatures
        if all(index.find((header,)) is not None for header in signature)
    ]
    return max(map(len, there), default=0)


def guess_mapping(header: list[str], profile: Profile | None) -> dict[str, int]:
    """Say which of the file's columns is which of ours: by the profile, and by their names what it leaves
    open."""
    if profile is None:
        return columns.guess_mapping(header)
    index = HeaderIndex(header)
    mapping = {
        name: at
        for name, headers in profile.mapping.items()
        if (at := index.find(_in_our_currency(headers))) is not None
    }
    for name, at in columns.guess_mapping(header).items():
        if name not in profile.mapping and at not in mapping.values():
            mapping[name] = at
    return mapping


def _in_our_currency(headers: Headers) -> Headers:
    """Prices in the store's own currency come before those in any."""
    ours = [
        header.replace("{currency}", settings.STORE_CURRENCY) for header in headers if "{currency}" in header
    ]
    return (*ours, *headers)
