"""`manage.py demo`: start Tallyman here and show the main job from file to mail."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.processes import StartError
from config.supervisor import Supervisor

_READY_SECONDS = 120.0


class Command(BaseCommand):
    help = "Start everything, import a made catalogue, show what became of each row, and keep serving."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exit", action="store_true", help="stop after the summary")
        parser.add_argument("--rows", type=int, default=100_000)

    def handle(self, *args: Any, **options: Any) -> None:
        code = 0
        os.environ.setdefault("PAYMENT_METHODS", "test-card,invoice")  # nobody pays with real money here
        os.environ.setdefault("BANK_ACCOUNT", "CH93 0076 2011 6238 5295 7, Example Bank")  # … nor to anybody
        self.stdout.write("Starting PostgreSQL, Valkey, web, worker, beat and Flower …")
        try:
            supervisor = Supervisor(base_dir=settings.BASE_DIR, data_dir=settings.DATA_DIR)
            with suppress(KeyboardInterrupt), supervisor:
                supervisor.wait_ready(_READY_SECONDS)
                # A process of its own: its settings then know the ports that the servers really got.
                tour = [sys.executable, "manage.py", "tour", "--rows", str(options["rows"])]
                code = subprocess.run(tour, cwd=settings.BASE_DIR, check=False).returncode
                if not options["exit"]:
                    self.stdout.write("\nCtrl-C stops everything.")
                    supervisor.serve()
        except StartError as error:
            raise CommandError(f"{error}\nLogs: {settings.DATA_DIR / 'log'}") from None
        sys.exit(code)
