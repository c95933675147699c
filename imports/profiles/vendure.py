"""Vendure's import format, which its export writes too: a row without a name is a variant of the product
above."""

from imports.profiles.profile import Categories, Grouped, PackedOptions, Profile

PROFILE = Profile(
    name="vendure",
    label="Vendure",
    signatures=(
        ("name", "sku", "price", "optionGroups", "optionValues"),
        ("name", "slug", "sku", "price", "facets", "stockOnHand"),
    ),
    mapping={
        "sku": ("sku",),
        "name": ("name",),
        "description": ("description",),
        "price": ("price",),
        "stock": ("stockOnHand",),
        "category": ("facets",),
        "published": ("enabled", "product:enabled"),
    },
    structure=Grouped(key=("slug",), continues=True),
    options=PackedOptions(names=("optionGroups",), values=("optionValues",), separator="|"),
    images=("assets",),
    variant_images=("variantAssets",),
    categories=Categories(separator="|", levels=">", prefix="category:"),
    tracked=("trackInventory",),
    untracked=frozenset({"false"}),
    kept={"facets": ("facets",)},
    kept_of_variant={"variant_facets": ("variantFacets",), "tax_category": ("taxCategory",)},
)
