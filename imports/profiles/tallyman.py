"""Our own files: each row is one product, and our columns have our names."""

from imports.columns import COLUMNS
from imports.profiles.profile import Profile

PROFILE = Profile(
    name="tallyman",
    label="Tallyman",
    signatures=(
        ("sku", "name", "description", "price", "stock", "category", "published", "featured", "metadata"),
    ),
    mapping={column.name: (column.name,) for column in COLUMNS},
    marked=True,
)
