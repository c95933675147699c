"""`manage.py up`: run Tallyman here, all of it."""

import sys
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.processes import StartError
from config.supervisor import Supervisor


class Command(BaseCommand):
    help = "Start the embedded servers and every process of the Procfile; Ctrl-C stops them all."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            supervisor = Supervisor(
                base_dir=settings.BASE_DIR, data_dir=settings.DATA_DIR, terminal=sys.stdout
            )
            with suppress(KeyboardInterrupt), supervisor:
                supervisor.wait_ready()
                self.stdout.write(f"\nTallyman is up.\n\n{supervisor.summary()}\n\nCtrl-C stops it.\n")
                supervisor.serve()
        except StartError as error:
            raise CommandError(str(error)) from None
