"""The tree of categories."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Func, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from shop.models.base import TimestampedModel

MAX_PATH = 1000  # characters of a category's full name

# Each category right after the one above it, siblings by name. Compared as one text, “Home & Garden” would
# come between “Home” and “Home > Kitchen”.
TREE_ORDER = Func(F("key"), Value(" > "), function="string_to_array", output_field=TextField())


class CategoryQuerySet(models.QuerySet["Category"]):
    """Filters that chain."""

    def roots(self) -> CategoryQuerySet:
        return self.filter(parent=None)

    def below(self, category: Category) -> CategoryQuerySet:
        """The category itself and everything under it."""
        return self.filter(Q(pk=category.pk) | Q(path__startswith=f"{category.path}/"))

    def with_product_counts(self) -> CategoryQuerySet:
        """Annotate `product_count`: products directly in the category.

        A subquery, because a page shows few categories of a catalogue with many products.
        """
        from shop.models.product import Product

        inside = Product.objects.filter(category=OuterRef("pk")).order_by().values("category")
        return self.annotate(
            product_count=Coalesce(Subquery(inside.annotate(count=models.Count("*")).values("count")), 0)
        )


class Category(TimestampedModel):
    """A node of the category tree. `path`, `full_name` and `key` follow from parent, slug and name."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=130, db_index=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    # C collation: byte order lets `startswith` use the unique index and makes it narrow and quick.
    path = models.CharField(
        max_length=MAX_PATH, editable=False, db_collation="C", help_text="Slugs: home/kitchen/knives"
    )
    full_name = models.CharField(max_length=MAX_PATH, editable=False, help_text="Home > Kitchen > Knives")
    key = models.CharField(
        max_length=MAX_PATH, editable=False, db_collation="C", help_text="full_name without regard to case."
    )

    listed = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Products directly in it that the storefront lists, when they were last counted.",
    )

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["full_name"]
        constraints = [
            models.UniqueConstraint(fields=["path"], name="category_path_unique"),  # page by address; subtree
            models.UniqueConstraint(  # an import finds a category by its written path
                fields=["key"],
                name="category_key_unique",
                violation_error_message="This category already exists here (case and spacing do not count).",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("pk")),
                name="category_not_own_parent",
                violation_error_message="A category can't be its own parent.",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Derive the paths, here and, when they changed, in everything below."""
        from shop.categories import slug_of

        self.slug = self.slug or slug_of(self.name)
        self.derive_paths()
        # Asked of the table: a form has derived the paths of this object before it saves it.
        stored = Category.objects.filter(pk=self.pk).values_list("path", "full_name", "key").first()
        with transaction.atomic():
            super().save(*args, **kwargs)
            if stored and stored != (self.path, self.full_name, self.key):
                for child in self.children.all():
                    child.parent = self
                    child.save()

    def clean(self) -> None:
        """Refuse what the paths can't express, naming the field; raises ValidationError.

        The paths are no form fields, so Django leaves their constraints to the database.
        """
        self.name = " ".join(self.name.split())
        if ">" in self.name:
            raise ValidationError({"name": "A name can't contain “>”: it separates the names in a path."})
        self._refuse_circle()
        self.derive_paths()
        if len(self.full_name) > MAX_PATH:
            raise ValidationError(
                {"name": f"With all names above it, it has more than {MAX_PATH:,} characters; shorten one."}
            )
        others = Category.objects.exclude(pk=self.pk)
        if others.filter(key=self.key).exists():
            raise ValidationError(
                {"name": f"“{self.full_name}” already exists (case and spacing do not count)."}
            )
        if others.filter(path=self.path).exists():
            raise ValidationError({"slug": f"The address “{self.path}” is taken; choose another slug."})

    def _refuse_circle(self) -> None:
        above = self.parent if self.pk else None
        while above:
            if above.pk == self.pk:
                raise ValidationError(
                    {"parent": f"“{self.name}” can't be moved below itself: “{self.parent}” is part of it."}
                )
            above = above.parent

    def derive_paths(self) -> None:
        """Set `path`, `full_name` and `key` from the parent, the slug and the name; saves nothing."""
        from shop.categories import SEPARATOR, key_of, slug_of

        above = self.parent
        slug, key = self.slug or slug_of(self.name), key_of([self.name])
        self.path = f"{above.path}/{slug}" if above else slug
        self.full_name = f"{above.full_name}{SEPARATOR}{self.name}" if above else self.name
        self.key = f"{above.key}{SEPARATOR}{key}" if above else key
