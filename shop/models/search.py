"""What the storefront lists and searches: one row for each product that can be found."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func

from shop.models.category import Category
from shop.models.product import Product


class NamedWords(Func):
    """Of the words of a document those of its name and SKUs."""

    template = "ts_filter(%(expressions)s, '{a}')"
    arity = 1
    output_field = SearchVectorField()


class SearchDocument(models.Model):
    """A published product with its variants, as lists filter, sort and search it.

    A table of its own, filled in batches after the fact (`shop.indexing`), so that imports pay nothing for
    it. It may be behind, or have rows of products that are gone: readers join the product, and ask it for
    what they show. Newest first is the order of the key, which is time-ordered.
    """

    product = models.OneToOneField(  # no constraint: deleting a product must not wait for this table
        Product,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="search_document",
    )
    version = models.BigIntegerField(help_text="The product's, when this was made.")
    variants_version = models.BigIntegerField(help_text="The same of its variants, as one number.")
    category = models.ForeignKey(
        Category,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    price = models.DecimalField(max_digits=12, decimal_places=2, help_text="The lowest of its variants.")
    highest_price = models.DecimalField(max_digits=12, decimal_places=2)
    available = models.BooleanField(help_text="Some of it, or of a variant, was in stock.")
    sort_name = models.CharField(max_length=100, db_collation="C")
    name = models.TextField(help_text="In small letters without accents; typos are compared with it.")
    words = SearchVectorField()

    class Meta:
        indexes = [
            # Lists by price and by name, page after page.
            models.Index(fields=["price", "product"], name="search_price"),
            models.Index(fields=["sort_name", "product"], name="search_sort_name"),
            # A category's list where it is short; its count.
            models.Index(fields=["category"], name="search_category"),
            # Words; those of names and SKUs alone; words with typos.
            GinIndex(fields=["words"], name="search_words"),
            GinIndex(NamedWords(F("words")), name="search_named_words"),
            GinIndex(OpClass(F("name"), name="gin_trgm_ops"), name="search_name"),
        ]


class CatalogueVersion(models.Model):
    """One row, one number: it rises with every change that pages show, in the change's own transaction.

    Pages are cached under it (`shop.caching`), so what was cached before a change is not found after it.
    """

    number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="catalogue_version_single"),
        ]
