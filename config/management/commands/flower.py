"""Serve Flower: workers and tasks, live, for staff who are logged in to the admin."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Serve Flower behind the admin's login until it is stopped (docs/flower.md)."
    requires_system_checks: list[str] = []  # the release checks the project

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
        parser.add_argument("--port", type=int, default=settings.FLOWER_PORT, help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        from config import flower  # Tornado and Flower, of no use to other commands

        flower.serve(address=options["address"], port=options["port"])
