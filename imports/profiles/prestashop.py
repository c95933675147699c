"""PrestaShop: the product list of its back office, and the format of its product import, with a product's
combinations in the rows below it."""

from imports.profiles.profile import Categories, Grouped, PackedOptions, Profile

PROFILE = Profile(
    name="prestashop",
    label="PrestaShop",
    signatures=(
        ("Product ID", "Active (0/1)", "Name *"),
        ("Product ID", "Name", "Reference", "Price (tax excl.)"),
        ("Product ID", "Name", "Attribute (Name:Type:Position)", "Value (Value:Position)"),
    ),
    mapping={
        "sku": ("Reference #", "Reference", "Product reference"),
        "name": ("Name *", "Name"),
        "description": ("Description",),
        "price": (
            "Price tax excluded",
            "Price (tax excl.)",
            "Price tax included",
            "Price (tax incl.)",
            "Price",
        ),
        "stock": ("Quantity",),
        "category": ("Categories (x,y,z...)", "Category"),
        "published": ("Active (0/1)", "Status", "Active"),
    },
    fallbacks={"description": ("Summary", "Short description")},
    structure=Grouped(key=("Product ID",), made="prestashop-{key}"),
    options=PackedOptions(
        names=("Attribute (Name:Type:Position)",), values=("Value (Value:Position)",), separator=",", clip=":"
    ),
    images=("Image URLs (x,y,z...)", "Image"),
    categories=Categories(separator=",", levels="/", roots=frozenset({"home", "root"})),
    tags=("Tags (x,y,z...)",),
    published={"1": "true", "0": "false", "enabled": "true", "disabled": "false"},
    price_impact=("Impact on price",),
    kept={
        "brand": ("Manufacturer", "Brand"),
        "supplier": ("Supplier",),
        "short_description": ("Summary", "Short description"),
        "condition": ("Condition",),
        "features": ("Feature(Name:Value:Position)",),
        "seo_title": ("Meta title",),
        "seo_description": ("Meta description",),
        "discount_amount": ("Discount amount",),
        "discount_percent": ("Discount percent",),
    },
    kept_of_variant={
        "barcode": ("EAN13", "UPC"),
        "weight": ("Weight",),
        "wholesale_price": ("Wholesale price",),
    },
)
