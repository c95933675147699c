"""The tree of categories: paths that follow, moves that are refused, creation in any order."""

from __future__ import annotations

import random

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from shop import categories
from shop.models import TREE_ORDER, Category
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db


def tree() -> list[tuple[str, str]]:
    return list(Category.objects.order_by("path").values_list("path", "full_name"))


def test_renaming_a_category_updates_everything_below() -> None:
    a_category("Home > Kitchen > Knives")
    home = Category.objects.get(name="Home")
    home.name, home.slug = "House", "house"
    home.full_clean()  # as a form does before it saves
    home.save()

    assert tree() == [
        ("house", "House"),
        ("house/kitchen", "House > Kitchen"),
        ("house/kitchen/knives", "House > Kitchen > Knives"),
    ]
    assert Category.objects.get(name="Knives").key == "house > kitchen > knives"


def test_moving_a_category_takes_everything_below_along() -> None:
    a_category("Home > Kitchen > Knives")
    kitchen = Category.objects.get(name="Kitchen")
    kitchen.parent = a_category("Outdoor")
    kitchen.full_clean()
    kitchen.save()

    assert tree() == [
        ("home", "Home"),
        ("outdoor", "Outdoor"),
        ("outdoor/kitchen", "Outdoor > Kitchen"),
        ("outdoor/kitchen/knives", "Outdoor > Kitchen > Knives"),
    ]


@pytest.mark.parametrize("name", ["Home", "Kitchen", "Knives"])
def test_category_moved_below_itself_is_refused_at_the_field(name: str) -> None:
    a_category("Home > Kitchen > Knives")
    home = Category.objects.get(name="Home")
    home.parent = Category.objects.get(name=name)

    with pytest.raises(ValidationError) as refused:
        home.full_clean()

    below = Category.objects.get(name=name).full_name
    assert refused.value.message_dict == {
        "parent": [f"“Home” can't be moved below itself: “{below}” is part of it."]
    }


def test_category_that_is_its_own_parent_is_refused_by_the_database() -> None:
    home = a_category("Home")

    with pytest.raises(IntegrityError, match="category_not_own_parent"), transaction.atomic():
        Category.objects.filter(pk=home.pk).update(parent=home)


def test_same_name_in_other_case_and_spacing_is_refused() -> None:
    a_category("Home > Kitchen Tools")
    again = Category(name="kitchen   TOOLS", slug="other", parent=Category.objects.get(name="Home"))

    with pytest.raises(ValidationError) as refused:
        again.clean()
    assert refused.value.message_dict == {
        "name": ["“Home > kitchen TOOLS” already exists (case and spacing do not count)."]
    }


def test_slug_of_a_sibling_is_refused_at_the_field() -> None:
    a_category("Books > C")
    clash = Category(name="Sea", slug="c", parent=Category.objects.get(name="Books"))

    with pytest.raises(ValidationError) as refused:
        clash.clean()
    assert refused.value.message_dict == {"slug": ["The address “books/c” is taken; choose another slug."]}


def test_same_name_under_another_parent_is_welcome() -> None:
    a_category("Men > Shoes")
    shoes = Category(name="Shoes", slug="shoes", parent=a_category("Women"))
    shoes.full_clean()
    shoes.save()

    assert shoes.full_name == "Women > Shoes"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("A > B", "A name can't contain “>”: it separates the names in a path."),
        ("x" * 120, "With all names above it, it has more than 1,000 characters; shorten one."),
    ],
)
def test_name_that_no_path_can_hold_is_refused(name: str, message: str) -> None:
    deep = a_category(" > ".join(str(n) * 115 for n in range(1, 9)))
    with pytest.raises(ValidationError) as refused:
        Category(name=name, slug="x", parent=deep).full_clean()

    assert refused.value.message_dict == {"name": [message]}


def test_tree_order_keeps_children_right_below_their_parent() -> None:
    for path in ("Home > Kitchen", "Home & Garden > Seeds", "apple", "Zoo"):
        a_category(path)

    assert list(Category.objects.order_by(TREE_ORDER).values_list("full_name", flat=True)) == [
        "apple",
        "Home",
        "Home > Kitchen",
        "Home & Garden",
        "Home & Garden > Seeds",
        "Zoo",
    ]


def test_product_counts_count_only_what_is_directly_inside() -> None:
    for category in (home := a_category("Home"), home, a_category("Home > Kitchen")):
        a_product(category=category)
    a_category("Zoo")

    counts = Category.objects.with_product_counts().values_list("full_name", "product_count")
    assert dict(counts) == {"Home": 2, "Home > Kitchen": 1, "Zoo": 0}


def test_category_in_use_is_protected_by_the_database() -> None:
    home = a_category("Home")
    a_product(category=home)

    with pytest.raises(ProtectedError):
        home.delete()


def test_obstacles_name_what_is_inside_and_pass_over_free_ones() -> None:
    a_product(category=a_category("One"))
    for _ in range(2):
        a_product(category=a_category("Home > Kitchen"))
    a_category("Free")

    assert sorted(categories.obstacles(Category.objects.all())) == [
        "“Home > Kitchen” can't be deleted: 2 products are in it. Move them first.",
        "“Home” can't be deleted: 1 subcategory is in it. Move it first.",
        "“One” can't be deleted: 1 product is in it. Move it first.",
    ]


def test_ensure_creates_ancestors_and_returns_ids_by_key() -> None:
    ids = categories.ensure([("Home", "Kitchen", "Knives")])

    assert ids == {category.key: category.pk for category in Category.objects.all()}
    assert sorted(ids) == ["home", "home > kitchen", "home > kitchen > knives"]


def test_ensure_again_creates_nothing() -> None:
    ids = categories.ensure([("Home", "Kitchen")])

    assert categories.ensure([("HOME", "kitchen")]) == ids
    assert Category.objects.count() == 2


def test_ensure_without_paths_does_nothing() -> None:
    assert categories.ensure([]) == {}


def test_ensure_keeps_one_category_for_spellings_that_differ_in_case() -> None:
    categories.ensure([("hats", "Caps"), ("Hats", "caps")])

    assert tree() == [("hats", "Hats"), ("hats/caps", "Hats > caps")]


ALIKE = ["C", "C++", "C#", "C!", "C?", "C*", "C&", "日本", "中国"]


def test_names_that_slug_alike_stay_apart_whatever_the_order() -> None:
    outcomes = set()
    for seed in range(12):
        shuffled = random.Random(seed).sample([*ALIKE, "c#"], k=10)
        with transaction.atomic():
            categories.ensure(("Books", name) for name in shuffled)
            outcomes.add(tuple(tree()))
            transaction.set_rollback(True)

    (outcome,) = outcomes
    assert {name for _, name in outcome} == {"Books", *(f"Books > {name}" for name in ALIKE)}
    assert len({path for path, _ in outcome}) == 10
    assert dict(outcome)["books/c"] == "Books > C"
