"""`manage.py tour`: the main job on servers that run already, as `make demo` shows it."""

import secrets
import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils import timezone
from rich.console import Console

from imports import links, pipeline, receiving, watching
from imports.models import ImportRun
from notifications.models import Message
from reports import scheduling
from reports.cadence import parse, row_of
from reports.models import ReportSchedule
from reports.period_rules import PeriodRule
from reports.questions import Comparison
from shop import ordering, panels, reconciling
from shop.models import DeliveryMethod, Order, Product
from shop.visiting import Visitor

_LOGIN = "admin"
_BROKEN_PERCENT = 0.5
_MAIL_SECONDS = 30.0
_SALES_LINES, _SALES_DAYS = 4_000, 90
_SCHEDULE = "Sales of the last 30 days"
_CUSTOMER = {
    "email": "kim@example.com",
    "name": "Kim Doe",
    "line1": "Main Street 1",
    "postcode": "3000",
    "city": "Bern",
    "country": "CH",
    "card_number": "4242 4242 4242 4242",
}


class Command(BaseCommand):
    help = "Make a staff login, import a catalogue through the workers, sell, show mails, a report and links."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=int, default=100_000)

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(highlight=False, soft_wrap=True)
        user, password = _staff_login()
        console.print(
            f"\n[bold]1. A catalogue of {options['rows']:,} rows, {_BROKEN_PERCENT} % of them broken"
        )
        path = _catalogue(options["rows"])
        console.print("\n[bold]2. Through the workers into PostgreSQL")
        with path.open("rb") as stream:
            draft = receiving.receive(stream=stream, filename=path.name, owner=user)
        run = watching.watch(pipeline.confirm(run=draft))
        watching.print_result(run)
        right = _counts_agree(console, run, options["rows"])
        console.print("\n[bold]3. The mail about it")
        mailed = _show_mail(console, run.subject)
        console.print("\n[bold]4. Customers buy")
        orders, sold = _customers_buy(console)
        console.print("\n[bold]5. The mails to them")
        mailed &= _show_mails(console, orders)
        console.print("\n[bold]6. A report of what was sold, by mail")
        mailed &= _report(console, user)
        console.print("\n[bold]7. Look around")
        console.print(f"Shop         {settings.SITE_URL}/")
        console.print(f"Shop admin   {settings.SITE_URL}/admin/   login {_LOGIN}, password {password}")
        console.print(f"This import  {links.import_page(run)}")
        console.print(f"Reports      {settings.SITE_URL}{reverse('admin:reports_reportrun_ask')}")
        console.print(f"Flower       {settings.FLOWER_URL}/")
        sys.exit(0 if right and mailed and sold and run.state == ImportRun.State.COMPLETED else 1)


def _staff_login() -> tuple[Any, str]:
    """The demo's superuser with a new password; on this machine only, so it may be shown."""
    users = get_user_model().objects
    user, _ = users.get_or_create(username=_LOGIN, defaults={"email": f"{_LOGIN}@localhost"})
    password = secrets.token_urlsafe(9)
    user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()
    return user, password


def _catalogue(rows: int) -> Path:
    folder: Path = settings.DATA_DIR / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"catalogue-{rows}.csv"
    call_command("make_catalog", str(rows), str(path), errors=_BROKEN_PERCENT)
    return path


def _counts_agree(console: Console, run: ImportRun, rows: int) -> bool:
    """Compare the outcomes with the rows made and with what the table holds, and say so."""
    total = sum(run.outcomes.values())
    stored = Product.objects.filter(sku__startswith="TM-").count()
    right = total == rows and stored == run.landed
    mark = "[green]✓" if right else "[red]✗"
    console.print(f"{mark} {total:,} outcomes for {rows:,} rows")
    console.print(f"{mark} {stored:,} products counted in PostgreSQL, {run.landed:,} rows landed")
    return right


def _show_mail(console: Console, about: str) -> bool:
    """Wait for the mail about this to leave, and say where it is."""
    deadline = time.monotonic() + _MAIL_SECONDS
    while time.monotonic() < deadline:
        message = Message.objects.filter(about=about, state=Message.State.SENT).first()
        if message is not None:
            _tell_of(console, message)
            return True
        time.sleep(0.1)
    console.print(
        f"[red]✗ no mail within {_MAIL_SECONDS:.0f} s; see {settings.SITE_URL}/admin/notifications/"
    )
    return False


def _tell_of(console: Console, message: Message) -> None:
    """Its subject, how it stands, and where to see it."""
    page = reverse("admin:notifications_message_change", args=[message.pk])
    console.print(f"To {message.recipient}: {message.subject}")
    console.print(f"  {message.get_state_display()}, {settings.SITE_URL}{page}")
    if message.state == Message.State.SENT:
        console.print(f"  kept in {_kept(message)}")


def _kept(message: Message) -> str:
    """The catcher's file of the message, or the provider that took it."""
    for path in sorted((settings.DATA_DIR / "mail").glob("*.eml"), reverse=True):
        if message.message_id.encode() in path.read_bytes():
            return str(path)
    return f"the mail provider ({message.answer})"


def _customers_buy(console: Console) -> tuple[list[Order], bool]:
    """Three orders over HTTP as customers place them, one of them sent, after those of some weeks that are
    written straight into the tables; and whether everything adds up."""
    if not Order.objects.filter(paid_at__lt=timezone.now() - timedelta(days=_SALES_DAYS / 2)).exists():
        call_command("make_sales", str(_SALES_LINES), days=_SALES_DAYS)
    _offer_delivery()
    goods = Product.objects.published().filter(stock__gt=5, price__gt=0, sku__startswith="TM-")
    slugs = list(goods.order_by("sku").values_list("slug", flat=True)[:6])
    paid = [_buys(slugs[:2], payment="test-card"), _buys(slugs[2:5], payment="test-card")]
    waiting = _buys(slugs[5:], payment="invoice")
    ordering.fulfil(order=paid[0], carrier="Parcel post", tracking_code="PP 4711", by=_LOGIN)
    for order in (*paid, waiting):
        order.refresh_from_db()
        link = f"{settings.SITE_URL}{reverse('shop:order', args=[order.token])}"
        console.print(f"Order {order.number}, {order.get_state_display():<20} {link}")
        for paper in panels.papers_of(order):
            console.print(f"  {paper.name:<31} {settings.SITE_URL}{paper.url}")
    problems = list(reconciling.findings())
    for problem in problems:
        console.print(f"[red]✗ {problem}")
    right = not problems and [one.state for one in (*paid, waiting)] == ["fulfilled", "paid", "pending"]
    mark = "[green]✓" if right else "[red]✗"
    console.print(
        f"{mark} stock, ledger, orders and payments agree" if right else f"{mark} not as it should be"
    )
    return [*paid, waiting], right


def _show_mails(console: Console, orders: list[Order]) -> bool:
    """Wait for the mails about the orders to leave; say what each is, and where it lies."""
    about = Message.objects.filter(about__in=[order.subject for order in orders])
    deadline = time.monotonic() + _MAIL_SECONDS
    while about.exclude(state=Message.State.SENT).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    messages = list(about.order_by("pk"))
    for message in messages:
        _tell_of(console, message)
    sent = sum(message.state == Message.State.SENT for message in messages)
    right = sent == len(messages) >= len(orders)
    console.print(f"{'[green]✓' if right else '[red]✗'} {sent} of {len(messages)} mails went out")
    return right


def _report(console: Console, user: Any) -> bool:
    """A schedule whose report is made now, by a worker, and mailed with its files."""
    now = timezone.now()
    schedule = ReportSchedule.objects.filter(name=_SCHEDULE).first()
    if schedule is None:
        row = row_of(parse("Mondays at 7:00", settings.TIME_ZONE, now=now))
        schedule = ReportSchedule(
            name=_SCHEDULE, crontab=row, period=PeriodRule.LAST_30_DAYS, compare=Comparison.PREVIOUS,
            formats=["xlsx", "pdf"], to=[user.email], owner=user,
        )  # fmt: skip
        scheduling.save(schedule, now=now)
    run = scheduling.run_now(schedule, now=now, by=user)
    mailed = _show_mail(console, run.subject)
    for name, page in (("Its page", run), ("Its schedule", schedule)):
        model = page._meta.model_name
        address = reverse(f"admin:reports_{model}_change", args=[page.pk])
        console.print(f"{name:<12} {settings.SITE_URL}{address}")
    return mailed


def _offer_delivery() -> None:
    DeliveryMethod.objects.get_or_create(
        code="standard",
        defaults={"name": "Standard delivery", "fee": Decimal("4.90"), "free_from": Decimal(75)},
    )


def _buys(slugs: list[str], *, payment: str) -> Order:
    """What a guest orders who puts these into the cart and pays in that way; raises LookupError if the shop
    does not let them."""
    visitor = Visitor(settings.SITE_URL)
    for slug in slugs:
        visitor.put_into_cart(reverse("shop:product", args=[slug]))
    page, form = visitor.fill_in_checkout(**_CUSTOMER, payment=payment)
    there = visitor.send(page, form)
    return Order.objects.get(token=there.url.rstrip("/").rpartition("/")[2])
