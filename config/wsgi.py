"""The WSGI entry point for granian or any other server."""

import os

from django.core.wsgi import get_wsgi_application

from monitoring import sharing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
sharing.share()
application = get_wsgi_application()

from config import pulses  # noqa: E402 - Django is ready only now

pulses.of_web()
