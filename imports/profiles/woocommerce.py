"""WooCommerce's own product export; each row says what it is, and variations name their parent."""

from imports.profiles.profile import ByReference, Categories, OptionPairs, ParentColumn, Profile, Sale

PROFILE = Profile(
    name="woocommerce",
    label="WooCommerce",
    signatures=(
        ("Type", "SKU", "Name", "Published", "Regular price"),
        ("Type", "SKU", "Name", "Regular price", "Parent"),
    ),
    mapping={
        "sku": ("SKU",),
        "name": ("Name",),
        "description": ("Description",),
        "price": ("Regular price",),
        "stock": ("Stock",),
        "category": ("Categories",),
        "published": ("Published",),
        "featured": ("Is featured?",),
    },
    fallbacks={"description": ("Short description",)},
    structure=ByReference(
        kind=("Type",),
        sellable=frozenset({"simple", "virtual", "downloadable", "variable", "variation"}),
        parents=frozenset({"variable"}),
        variants=frozenset({"variation"}),
        refused={
            "grouped": "is only a list of other products. Import those; to sell the set, make it a simple "
            "product with a price of its own",
            "external": "is sold on another site. To sell it here, make it a simple product",
        },
        relation=ParentColumn(parent=("Parent",), id=("ID",), made="woo-{id}"),
    ),
    options=OptionPairs(names=("Attribute {n} name",), values=("Attribute {n} value(s)",)),
    images=("Images",),
    categories=Categories(separator=","),
    tags=("Tags",),
    published={"1": "true", "0": "false", "-1": "false"},
    sale=Sale(price=("Sale price",), begins=("Date sale price starts",), ends=("Date sale price ends",)),
    kept={
        "brand": ("Brands",),
        "short_description": ("Short description",),
        "visibility": ("Visibility in catalog",),
    },
    kept_of_variant={
        "barcode": ("GTIN, UPC, EAN, or ISBN",),
        "weight_kg": ("Weight (kg)",),
        "weight_lbs": ("Weight (lbs)",),
        "backorders": ("Backorders allowed?",),
    },
    escaped_breaks=True,
)
