"""What is sold. Constraints hold what the code promises; every index names the query that needs it."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Literal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now

from shop.models.base import ContentVersion, TimestampedModel, UUIDv7
from shop.models.category import Category


class StockLevel(models.TextChoices):
    """How much is left, in the words that staff see; `low` is from 1 to settings.LOW_STOCK."""

    OUT = "out", "out of stock"
    LOW = "low", "low"
    IN = "in", "in stock"

    @classmethod
    def of(cls, stock: int) -> StockLevel:
        """The level of so many pieces."""
        if stock <= 0:
            return cls.OUT
        return cls.LOW if stock <= settings.LOW_STOCK else cls.IN

    def text(self, stock: int) -> str:
        """`low 3`: what is left, as staff see it."""
        return f"{self.label} {stock:,}"


class ProductQuerySet(models.QuerySet["Product"]):
    """Filters that chain: `Product.objects.published().in_stock()`."""

    def published(self) -> ProductQuerySet:
        return self.filter(published=True)

    def in_stock(self) -> ProductQuerySet:
        return self.filter(stock__gt=0)

    def at_stock_level(self, level: StockLevel) -> ProductQuerySet:
        """Products that are out of stock, low, or well in stock."""
        if level == StockLevel.OUT:
            return self.filter(stock=0)
        if level == StockLevel.LOW:
            return self.filter(stock__range=(1, settings.LOW_STOCK))
        return self.filter(stock__gt=settings.LOW_STOCK)

    def sku_begins(self, text: str) -> ProductQuerySet:
        """Products whose SKU begins with the text as written, in capitals or in small letters.

        Three ranges of the unique index, so it takes no longer in a big catalogue.
        """
        spellings = {text, text.upper(), text.lower()}
        return self.filter(reduce(or_, (Q(sku__startswith=spelling) for spelling in spellings)))

    def featured(self) -> ProductQuerySet:
        return self.filter(featured=True)

    def top_level(self) -> ProductQuerySet:
        """Products that are no variant of another one: with or without variants of their own."""
        return self.filter(parent=None)

    def variants(self) -> ProductQuerySet:
        return self.filter(parent__isnull=False)

    def variants_of(self, product: Product) -> ProductQuerySet:
        return self.filter(parent=product)

    def with_variants(self) -> ProductQuerySet:
        """Products that have variants."""
        return self.filter(Exists(Product.objects.filter(parent=OuterRef("pk"))))

    def with_has_variants(self) -> ProductQuerySet:
        """Annotate `has_variants`: whether any product is a variant of it."""
        return self.annotate(has_variants=Exists(Product.objects.filter(parent=OuterRef("pk"))))

    def with_variant_figures(self) -> ProductQuerySet:
        """Annotate `variant_count` and `variant_stock`: of a product's variants; 0 where it has none.

        Subqueries, because a page shows few products of a catalogue with many.
        """
        below = Product.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
        counted = Subquery(below.annotate(figure=models.Count("*")).values("figure"))
        summed = Subquery(below.annotate(figure=models.Sum("stock")).values("figure"))
        return self.annotate(variant_count=Coalesce(counted, 0), variant_stock=Coalesce(summed, 0))

    def by_category(self, category: Category) -> ProductQuerySet:
        """Products of the category and of everything below it."""
        return self.filter(category__in=Category.objects.below(category).values("pk"))

    def switch(self, flag: Literal["published", "featured"], *, on: bool) -> int:
        """Set the flag where it isn't set so; returns how many products that changed."""
        return self.filter(**{flag: not on}).update(**{flag: on, "updated_at": Now()})

    def newest(self) -> ProductQuerySet:
        return self.order_by("-created_at", "-pk")


class Product(TimestampedModel):
    """Something that is sold, known by its SKU.

    The SKU is compared byte by byte: `ab-1` and `AB-1` are two products. A variant names its product as
    `parent` and says in `options` what sets it apart. A variant has no variants: a trigger refuses them.
    """

    # Time-ordered keys: random ones touch a new index page for every insert.
    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    sku = models.CharField("SKU", max_length=100, db_collation="C")
    slug = models.SlugField(max_length=200, db_index=False, db_collation="C")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))])
    compare_at_price = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="What it cost before, or costs elsewhere; shown struck through when above the price.",
    )
    stock = models.IntegerField(default=0, db_default=0, validators=[MinValueValidator(0)])
    # No index of its own: (category, published) below serves it.
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products", db_index=False
    )
    published = models.BooleanField(default=True, db_default=True)
    featured = models.BooleanField(default=False, db_default=False)
    metadata = models.JSONField(default=dict, db_default={}, blank=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variants",
        db_index=False,
        verbose_name="variant of",
        help_text="The product that this one is a variant of.",
    )
    options = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text='What sets a variant apart from its siblings: {"Colour": "red", "Size": "M"}.',
    )
    # What the product was last written from, as its writer knows it again: while it is set, the product is
    # just as that source said. A trigger clears it at every update that does not announce itself.
    source_hash = models.BigIntegerField(null=True, editable=False)
    # Names the content (all but stock): a trigger draws a new one whenever that changes, so two looks that
    # saw the same version saw the same content. Only an undo, which brings content back, brings back its
    # version too.
    version = models.BigIntegerField(db_default=ContentVersion(), editable=False)
    # The first entry of the product's stock ledger, kept here because a million rows of their own would cost
    # more than all else that a first import writes. Never changes.
    opening_stock = models.IntegerField(default=0, db_default=0, editable=False)
    has_variants: bool  # no column: only products of `with_has_variants` have it
    # Which feed it belongs to, as imports name it: a supplier, a shop system. Mirrors keep to one.
    source = models.CharField(
        max_length=60, blank=True, default="", db_default="", db_collation="C", editable=False
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        # UniqueConstraint instead of unique=True: the latter adds a second, LIKE index for each.
        constraints = [
            models.UniqueConstraint(  # imports, orders and staff find a product by its SKU
                fields=["sku"],
                name="product_sku_unique",
                violation_error_message="A product with this SKU already exists.",
                violation_error_code="unique",  # shown at the field, not above the form
            ),
            models.UniqueConstraint(  # the product page is found by its slug
                fields=["slug"],
                name="product_slug_unique",
                violation_error_message="A product with this slug already exists; choose another.",
                violation_error_code="unique",  # shown at the field, not above the form
            ),
            models.CheckConstraint(condition=~Q(sku=""), name="product_sku_not_blank"),
            models.CheckConstraint(
                condition=Q(price__gte=0),
                name="product_price_not_negative",
                violation_error_message="The price can't be negative.",
            ),
            models.CheckConstraint(
                condition=Q(compare_at_price__gt=0),
                name="product_compare_at_price_positive",
                violation_error_message="The compare-at price must be above zero, or blank.",
            ),
            models.CheckConstraint(
                condition=Q(stock__gte=0),
                name="product_stock_not_negative",
                violation_error_message="The stock can't be negative.",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("pk")),
                name="product_not_own_parent",
                violation_error_message="A product can't be a variant of itself.",
            ),
        ]
        indexes = [
            # Category pages list what is published; the protected delete of a category looks it up.
            models.Index(fields=["category", "published"], name="product_category_published"),
            # The newest published products: storefront and the admin's date filter.
            models.Index(fields=["created_at", "published"], name="product_created_published"),
            # The admin's list is sorted by name; without this each page would sort the whole catalogue.
            models.Index(fields=["name"], name="product_name"),
            # The variants of a product; partial, so that it costs nothing for products without a parent.
            models.Index(fields=["parent"], name="product_parent", condition=Q(parent__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"

    def clean(self) -> None:
        """Refuse variants of variants and siblings with the same options; raises ValidationError."""
        if not isinstance(self.options, dict) or not all(isinstance(to, str) for to in self.options.values()):
            raise ValidationError({"options": 'Options are names with texts, such as {"Colour": "red"}.'})
        if self.parent is None:
            return
        if self.parent.parent_id:
            message = f"“{self.parent}” is a variant itself. Choose the product that it is a variant of."
            raise ValidationError({"parent": message})
        is_stored = not self._state.adding  # else its key may be none yet
        if is_stored and Product.objects.variants_of(self).exists():
            message = f"“{self.name}” has variants itself, so it can't be one. Move them first."
            raise ValidationError({"parent": message})
        alike = Product.objects.variants_of(self.parent).filter(options=self.options)
        if twin := (alike.exclude(pk=self.pk) if is_stored else alike).first():
            raise ValidationError(
                {"options": f"{twin.sku} has the same options. Say what sets this one apart."}
            )

    @property
    def options_text(self) -> str:
        """The options as people read them: `Colour: red, Size: M`."""
        return ", ".join(f"{name}: {value}" for name, value in self.options.items())

    @property
    def stock_level(self) -> StockLevel:
        return StockLevel.of(self.stock)

    @property
    def stock_text(self) -> str:
        """`low 3`: what is left, as staff see it."""
        return self.stock_level.text(self.stock)


class ProductImage(TimestampedModel):
    """A picture of a product: a stored file, or an address from which one is to be fetched."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    file = models.ImageField(upload_to="products/%Y/%m/", blank=True)
    source_url = models.URLField("address", max_length=1000, blank=True)
    alt = models.CharField("alternative text", max_length=255, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(file="") | ~Q(source_url=""),
                name="product_image_has_source",
                violation_error_message="Give a file or an address.",
            ),
        ]

    def __str__(self) -> str:
        return self.alt or self.file.name or self.source_url
