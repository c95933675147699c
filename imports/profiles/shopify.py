"""Shopify's product export, in the headers of before and since 2025."""

from imports.profiles.profile import Grouped, OptionPairs, Profile

PROFILE = Profile(
    name="shopify",
    label="Shopify",
    signatures=(
        ("Handle", "Title", "Option1 Value", "Variant Price"),
        ("Handle", "Title", "Variant SKU", "Variant Price"),
        ("Title", "URL handle", "Option1 value", "Price"),
        ("Title", "URL handle", "SKU", "Price"),
    ),
    mapping={
        "sku": ("Variant SKU", "SKU"),
        "name": ("Title",),
        "description": ("Body (HTML)", "Description"),
        "price": ("Variant Price", "Price"),
        "stock": ("Variant Inventory Qty", "Inventory quantity"),
        "category": ("Type", "Product Category"),
        "published": ("Published", "Published on online store", "Status"),
    },
    fallbacks={"category": ("Product Category", "Standardized Product Type", "Custom Product Type")},
    structure=Grouped(key=("Handle", "URL handle")),
    options=OptionPairs(
        names=("Option{n} Name",), values=("Option{n} Value",), none=("Title", "Default Title")
    ),
    images=("Image Src", "Product image URL"),
    image_position=("Image Position",),
    variant_images=("Variant Image", "Variant image URL"),
    tags=("Tags",),
    status=("Status",),
    compare_at=("Variant Compare At Price", "Compare-at price"),
    tracked=("Variant Inventory Tracker", "Inventory tracker"),
    kept={
        "brand": ("Vendor",),
        "seo_title": ("SEO Title",),
        "seo_description": ("SEO Description",),
    },
    kept_of_variant={
        "barcode": ("Variant Barcode", "Barcode"),
        "weight_grams": ("Variant Grams", "Weight value (grams)"),
        "stock_policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    },
)
