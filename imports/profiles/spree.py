"""Spree's product export: the product's own row comes first, a row for each variant below it."""

from imports.profiles.profile import Categories, Grouped, OptionPairs, Profile

PROFILE = Profile(
    name="spree",
    label="Spree",
    signatures=(
        ("product_id", "sku", "name", "slug", "price", "inventory_count"),
        ("sku", "name", "slug", "price", "option1_name", "option1_value"),
    ),
    mapping={
        "sku": ("sku",),
        "name": ("name",),
        "description": ("description",),
        "price": ("price",),
        "stock": ("inventory_count",),
        "category": ("category{n}",),
        "published": ("status",),
    },
    structure=Grouped(key=("slug", "product_id")),
    options=OptionPairs(names=("option{n}_name",), values=("option{n}_value",)),
    images=("image{n}_src",),
    categories=Categories(levels="->", roots=frozenset({"categories"})),
    tags=("tags", "labels"),
    published={"active": "true", "draft": "false", "archived": "false", "paused": "false"},
    compare_at=("compare_at_price",),
    tracked=("track_inventory",),
    kept={
        "brand": ("brand_name",),
        "vendor": ("vendor_name",),
        "seo_title": ("meta_title",),
        "seo_description": ("meta_description",),
    },
    kept_of_variant={
        "barcode": ("barcode",),
        "currency": ("currency",),
        "weight": ("weight",),
        "weight_unit": ("weight_unit",),
        "backorders": ("inventory_backorderable",),
    },
)
