"""Medusa's product export, of version 2 and of version 1; each row repeats its product."""

from imports.profiles.profile import Grouped, OptionPairs, Profile

PROFILE = Profile(
    name="medusa",
    label="Medusa",
    signatures=(
        ("Product Handle", "Product Title", "Variant Title", "Variant Price {currency}"),
        ("Product Handle", "Product Title", "Variant Title", "Price {currency}"),
        ("Product Handle", "Product Title", "Variant Sku", "Variant Manage Inventory"),
    ),
    mapping={
        "sku": ("Variant Sku",),
        "name": ("Product Title",),
        "description": ("Product Description",),
        "price": ("Variant Price {currency}", "Price {currency}"),
        "stock": ("Variant Inventory Quantity",),
        "category": ("Product Category {n}", "Product Type", "Product Collection Title"),
        "published": ("Product Status",),
    },
    structure=Grouped(key=("Product Handle", "Product Id")),
    options=OptionPairs(
        names=("Variant Option {n} Name", "Option {n} Name"),
        values=("Variant Option {n} Value", "Option {n} Value"),
    ),
    images=("Product Image {n}", "Image {n} Url", "Product Thumbnail"),
    tags=("Product Tag {n}", "Product Tags"),
    published={"published": "true", "draft": "false", "proposed": "false", "rejected": "false"},
    tracked=("Variant Manage Inventory",),
    prices="Variant Price {currency}",
    kept={
        "subtitle": ("Product Subtitle",),
        "material": ("Product Material",),
        "weight": ("Product Weight",),
        "origin_country": ("Product Origin Country",),
        "hs_code": ("Product Hs Code",),
        "collection": ("Product Collection Title", "Product Collection Id"),
    },
    kept_of_variant={
        "barcode": ("Variant Barcode", "Variant Ean", "Variant Upc"),
        "weight": ("Variant Weight",),
        "backorders": ("Variant Allow Backorder",),
    },
)
