"""Magento 2's product export; a configurable product's row lists the SKUs and options of its variants."""

from imports.profiles.profile import ByReference, Categories, ChildList, Profile, Sale

PROFILE = Profile(
    name="magento2",
    label="Magento 2",
    signatures=(
        ("sku", "attribute_set_code", "product_type", "name", "price"),
        ("sku", "store_view_code", "product_type", "name"),
        ("sku", "product_type", "product_online", "configurable_variations"),
    ),
    mapping={
        "sku": ("sku",),
        "name": ("name",),
        "description": ("description",),
        "price": ("price",),
        "stock": ("qty",),
        "category": ("categories",),
        "published": ("product_online", "status"),
    },
    fallbacks={"description": ("short_description",)},
    structure=ByReference(
        kind=("product_type",),
        sellable=frozenset({"simple", "virtual", "downloadable", "configurable"}),
        parents=frozenset({"configurable"}),
        refused={
            "grouped": "is only a list of other products. Import those; to sell the set, make it a simple "
            "product with a price of its own",
            "bundle": "is put together by the customer. Import its parts; to sell a fixed set, make it a "
            "simple product with a price of its own",
        },
        relation=ChildList(
            variations=("configurable_variations",),
            labels=("configurable_variation_labels",),
            hidden=("visibility",),
            hidden_as="not visible individually",
        ),
        translation=("store_view_code",),
    ),
    images=("base_image", "additional_images"),
    categories=Categories(separator=",", levels="/", roots=frozenset({"default category", "root catalog"})),
    tags=("meta_keywords",),
    published={"1": "true", "2": "false", "0": "false", "enabled": "true", "disabled": "false"},
    sale=Sale(price=("special_price",), begins=("special_price_from_date",), ends=("special_price_to_date",)),
    tracked=("manage_stock",),
    untracked=frozenset({"0", "no"}),
    kept={
        "short_description": ("short_description",),
        "url_key": ("url_key",),
        "attributes": ("additional_attributes",),
        "seo_title": ("meta_title",),
        "seo_description": ("meta_description",),
        "visibility": ("visibility",),
    },
    kept_of_variant={
        "weight": ("weight",),
        "backorders": ("allow_backorders",),
        "country_of_manufacture": ("country_of_manufacture",),
    },
)
