"""What a person sees when a server is missing: one line with the remedy instead of a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def readable_outages() -> Iterator[None]:
    """Turn a wrong setting, or an absent database or broker, into one line on stderr and exit code 1."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import InterfaceError, OperationalError
    from kombu.exceptions import OperationalError as BrokerError
    from redis.exceptions import ConnectionError as RedisConnectionError

    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(_first_line(error))
    except (OperationalError, InterfaceError) as error:
        sys.exit(f"PostgreSQL does not answer ({_first_line(error)}). {_remedy('DATABASE_URL')}")
    except (BrokerError, RedisConnectionError) as error:
        sys.exit(f"Valkey/Redis does not answer ({_first_line(error)}). {_remedy('REDIS_URL')}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _remedy(variable: str) -> str:
    import os

    if os.environ.get(variable):
        return f"Check {variable} and that the server runs."
    return "Start Tallyman's own servers with `make up` in another terminal."
