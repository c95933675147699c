"""What tests of the storefront share: fill the search table as workers do, and read pages as customers do."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from celery import current_app
from django.test import Client

from shop import indexing
from tasks.models import Job


def index() -> None:
    """Do the jobs of the search table until none is left."""
    while job := Job.objects.due().filter(kind=indexing.KIND).order_by("pk").first():
        current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk}).get()


def index_all() -> None:
    """Look through all products, as after an import."""
    indexing.catalogue_changed()
    index()


def names(client: Client, path: str = "/", **query: Any) -> list[str]:
    """The names of the products on a page of a list, in their order."""
    return names_on(opened(client, path, **query))


def names_on(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r"<h3><a [^>]*>([^<]*)</a></h3>", page)]


def opened(client: Client, path: str = "/", **query: Any) -> str:
    """The HTML of a page that is there."""
    response = client.get(path, query)
    assert (path, response.status_code) == (path, 200)
    return str(response.text)


def next_page(page: str) -> str | None:
    """Where “Next page” leads to."""
    found = re.search(r'href="([^"]*)" rel="next"', page)
    return unescape(found[1]) if found else None


def all_pages(client: Client, path: str = "/", **query: Any) -> list[str]:
    """The names on all pages of a list."""
    page = opened(client, path, **query)
    found = names_on(page)
    while address := next_page(page):
        page = opened(client, address)
        found += names_on(page)
    return found
