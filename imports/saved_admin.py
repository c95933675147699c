"""What is remembered for files of a header, in the admin: to be looked at, and to be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from imports.column import short
from imports.columns import BY_NAME
from imports.models import ImportRun, SavedMapping
from imports.profiles import BY_NAME as PROFILES
from shop.models import Category
from tasks.listing import spoken


@admin.register(SavedMapping)
class SavedMappingAdmin(ModelAdmin):
    """Written by imports that are confirmed. Deleting one has the next file with its header guessed anew."""

    list_display = ["columns", "shop", "used", "by", "chosen", "last_used"]
    list_select_related = ["by"]
    list_per_page = 50
    ordering = ["-last_used_at"]
    search_fields = ["header"]
    search_help_text = "Part of a column's name, in small letters and without spaces"
    fieldsets = [
        (None, {"fields": ["header_in_order", "shop", "mapped", "set_aside"]}),
        ("How cells are read", {"fields": ["formats", "constants", "blank_cells", "token", "unknown"]}),
        ("Proposed, never done by itself", {"fields": ["feed", "mirrored"]}),
        ("Who and when", {"fields": ["by", "chosen", "used", "last_used", "signature"]}),
    ]
    readonly_fields = [field for _, part in fieldsets for field in part["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SavedMapping | None = None) -> bool:
        return False

    @display(description="files with the columns")
    def columns(self, saved: SavedMapping) -> str:
        return str(saved)

    @display(description="columns of the file")
    def header_in_order(self, saved: SavedMapping) -> str:
        return ", ".join(name or "(blank)" for name in saved.header)

    @display(description="shop")
    def shop(self, saved: SavedMapping) -> str:
        profile = PROFILES.get(saved.values["profile"])
        return profile.label if profile else "–"

    @display(description="mapped")
    def mapped(self, saved: SavedMapping) -> SafeString | str:
        places = _in_order(saved.values["mapping"])
        return _listed((_label(name), saved.header[place]) for name, place in places if place is not None)

    @display(description="left out")
    def set_aside(self, saved: SavedMapping) -> str:
        places = _in_order(saved.values["mapping"])
        return ", ".join(_label(name) for name, place in places if place is None) or "–"

    @display(description="formats")
    def formats(self, saved: SavedMapping) -> SafeString | str:
        chosen = _in_order(saved.values["options"])
        return _listed(
            (_label(name), ", ".join(f"{what} {value}" for what, value in options.items()))
            for name, options in chosen
            if options
        )

    @display(description="values for all rows")
    def constants(self, saved: SavedMapping) -> SafeString | str:
        constants = _in_order(saved.values["constants"])
        return _listed((_label(name), short(value)) for name, value in constants)

    @display(description="blank cells")
    def blank_cells(self, saved: SavedMapping) -> str:
        return ImportRun.Blank(saved.values["blank"]).label

    @display(description="text that clears a field")
    def token(self, saved: SavedMapping) -> str:
        return str(saved.values["clear_token"])

    @display(description="columns that are not ours")
    def unknown(self, saved: SavedMapping) -> str:
        return "Kept in the metadata" if saved.values["keep_unknown"] else "Ignored"

    @display(description="source")
    def feed(self, saved: SavedMapping) -> str:
        return saved.values.get("source") or "–"

    @display(description="category of what the file lacks")
    def mirrored(self, saved: SavedMapping) -> str:
        category = Category.objects.filter(pk=saved.values.get("mirror_category")).first()
        return category.full_name if category else "–"

    @display(description="chosen", ordering="mapped_at")
    def chosen(self, saved: SavedMapping) -> SafeString | str:
        return spoken(saved.mapped_at)

    @display(description="last used", ordering="last_used_at")
    def last_used(self, saved: SavedMapping) -> SafeString | str:
        return spoken(saved.last_used_at)


def _in_order[T](by_name: Mapping[str, T]) -> list[tuple[str, T]]:
    """The items by our columns in their usual order, which JSON in PostgreSQL does not keep."""
    return [(name, by_name[name]) for name in dict.fromkeys((*BY_NAME, *by_name)) if name in by_name]


def _label(name: str) -> str:
    """What people call one of our columns; its name where a later release knows it no more."""
    return BY_NAME[name].label if name in BY_NAME else name


def _listed(pairs: Iterable[tuple[str, str]]) -> SafeString | str:
    """`Price ← ek`, one a line."""
    return format_html_join("", "<div>{} ← {}</div>", pairs) or "–"
