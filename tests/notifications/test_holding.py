"""Kinds that are switched off, and addresses that are not written to: mails are kept, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from notifications import holding, kinds, outbox
from notifications.messages import Rendered
from notifications.models import Message, Suppression
from shop import ordering, personal_data
from tests.notifications.conftest import Provider, attempt, do_round
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, an_order

pytestmark = pytest.mark.django_db(transaction=True)

Why, Scope = Suppression.Why, Suppression.Scope
CONTENT = Rendered("Hello", "text", "")


def write(kind: str = "import_finished", to: str = "kim@example.com", event: str = "x") -> Message:
    return outbox.write(kind=kind, event=event, about="x", recipients=[to], content=CONTENT)[0]


def held_back(address: str, why: Suppression.Why, scope: Suppression.Scope) -> Suppression:
    row = holding.hold_back(address, why=why, scope=scope)
    assert row is not None
    return row


def test_kind_that_is_switched_off_is_written_as_held_back_and_can_be_sent_by_hand(
    provider: Provider, settings: Any
) -> None:
    settings.INVOICE_MAIL = "none"
    a_product(sku="KNIFE", stock=9)
    holding.switch("order_placed", on=False, by="olga", note="no")

    order = a_paid_order({"KNIFE": 1})

    placed, paid = Message.objects.filter(about=order.subject).order_by("pk")
    assert (placed.state, placed.error) == (
        "suppressed",
        "Mails of the kind “Order placed” are switched off.",
    )
    assert paid.state == "queued"
    again = outbox.resend(placed, by="olga")
    attempt(again)
    assert (again.state, again.by, len(provider.mails)) == ("sent", "olga", 1)


def test_kind_that_is_switched_on_again_goes_out() -> None:
    holding.switch("import_finished", on=False, by="olga")
    holding.switch("import_finished", on=True, by="pete")

    assert write().state == "queued"
    assert (holding.is_on("import_finished"), holding.switches()["import_finished"].by) == (True, "pete")


def test_account_mails_can_not_be_switched_off() -> None:
    with pytest.raises(holding.AlwaysOn) as refusal:
        holding.switch("account", on=False, by="olga")

    assert str(refusal.value) == "Mails of the kind “Account” can't be switched off."
    assert write("account").state == "queued"


@pytest.mark.parametrize("address", ["kim@example.com", "Kim@Example.COM"])
def test_hard_bounce_holds_back_every_mail_however_its_address_is_written(address: str) -> None:
    held_back("KIM@example.com", Why.BOUNCE, Scope.ALL)

    states = {write(kind.name, address, event=kind.name).state for kind in kinds.every()}

    assert states == {"suppressed"}
    assert write(to="other@example.com", event="other").state == "queued"


def test_address_with_a_domain_of_other_letters_is_one_however_it_is_written() -> None:
    held_back("kim@bücher.example", Why.BOUNCE, Scope.ALL)

    assert write(to="kim@xn--bcher-kva.example").state == "suppressed"


def test_complaint_holds_back_what_no_order_and_no_account_needs() -> None:
    row = held_back("kim@example.com", Why.COMPLAINT, Scope.OPTIONAL)

    sent = {kind.name for kind in kinds.every() if write(kind.name, event=kind.name).state == "queued"}

    assert sent == {kind.name for kind in kinds.every() if kind.is_needed}
    held = Message.objects.get(kind="import_finished")
    assert held.error == (
        f"Its address is held back since {row.created_at:%Y-%m-%d}: its reader called a mail spam."
    )


def test_what_waits_for_the_address_is_held_back_with_it(provider: Provider) -> None:
    waiting, needed = write(), write("account", event="y")

    held_back("kim@example.com", Why.COMPLAINT, Scope.OPTIONAL)
    attempt(waiting)
    attempt(needed)

    assert (waiting.state, needed.state, len(provider.mails)) == ("suppressed", "sent", 1)
    assert waiting.error.endswith("its reader called a mail spam.")


def test_what_waits_of_a_kind_that_is_switched_off_is_held_back_when_its_turn_comes(
    provider: Provider,
) -> None:
    sent = write(event="before")
    attempt(sent)
    waiting, by_hand = write(), outbox.resend(sent, by="olga")
    sample = outbox.write_sample(kind="import_finished", to="olga@example.com", by="olga", content=CONTENT)
    holding.switch("import_finished", on=False, by="olga")

    do_round()

    states = Message.objects.filter(pk__in=[waiting.pk, by_hand.pk, sample.pk]).order_by("pk")
    assert list(states.values_list("state", "due_at")) == [
        ("suppressed", None),
        ("sent", None),
        ("sent", None),
    ]
    waiting.refresh_from_db()
    assert waiting.error == "Mails of the kind “Import finished” are switched off."
    assert len(provider.mails) == 3


def test_mail_written_beside_the_row_that_holds_its_address_back_is_held_back_when_its_turn_comes(
    provider: Provider,
) -> None:
    waiting, needed = write(), write("account", event="y")
    # As if committed by somebody who did not see the mails yet.
    Suppression.objects.create(address="kim@example.com", why=Why.COMPLAINT, scope=Scope.OPTIONAL)

    do_round()

    waiting.refresh_from_db()
    needed.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.lease_token) == ("suppressed", 0, None)
    assert waiting.error.endswith("its reader called a mail spam.")
    assert (needed.state, len(provider.mails)) == ("sent", 1)


def test_mail_that_perhaps_arrived_is_not_tried_again_at_an_address_that_is_held_back(
    provider: Provider,
) -> None:
    mail = write()
    provider.hang_up_after_text = 1
    attempt(mail)

    held_back("kim@example.com", Why.BOUNCE, Scope.ALL)
    attempt(mail)

    assert (mail.state, mail.is_on_its_way, mail.attempts) == ("uncertain", False, 1)
    assert mail.error.endswith("a mail to it came back for good.")


def test_sample_to_an_address_that_is_held_back_is_held_back(provider: Provider) -> None:
    held_back("olga@example.com", Why.BOUNCE, Scope.ALL)

    sample = outbox.write_sample(kind="account", to="olga@example.com", by="olga", content=CONTENT)

    assert (sample.state, sample.due_at) == ("suppressed", None)


def test_address_that_is_lifted_gets_mail_and_what_happened_before_counts_no_more() -> None:
    row = held_back("kim@example.com", Why.BOUNCE, Scope.ALL)
    assert holding.lift(row, by="olga", note="Mistake of the provider")
    row.refresh_from_db()

    late = holding.hold_back("kim@example.com", why=Why.BOUNCE, scope=Scope.ALL, happened_at=row.created_at)

    assert (late, write().state, holding.lift(row, by="pete", note="x")) == (None, "queued", False)
    assert (row.lifted_by, row.lifted_note) == ("olga", "Mistake of the provider")


def test_resend_to_an_address_that_is_held_back_is_held_back(provider: Provider) -> None:
    message = write()
    attempt(message)
    held_back("kim@example.com", Why.BOUNCE, Scope.ALL)

    assert outbox.resend(message).state == "suppressed"
    assert outbox.resend(message, to="kim@home.example").state == "queued"


def test_mail_about_an_account_goes_to_no_other_address(provider: Provider) -> None:
    message = write("account")
    attempt(message)

    with pytest.raises(outbox.BelongsToOne):
        outbox.resend(message, to="mallory@example.com")

    assert Message.objects.count() == 1


def test_what_is_known_of_an_address_is_handed_out_and_erased(provider: Provider) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    provider.on_recipient = ["550 kim@example.com is unknown"]
    mail = Message.objects.get(about=order.subject)
    attempt(mail)
    held_back("kim@example.com", Why.BOUNCE, Scope.ALL)
    ordering.cancel(order=order)
    person = personal_data.of_address("kim@example.com")
    assert person is not None

    (known,) = personal_data.export(person)["held_back_addresses"]
    personal_data.erase(person)

    assert (known["address"], known["why"]) == ("kim@example.com", "a mail came back for good")
    assert Suppression.objects.count() == 0
    assert [tried.said for tried in mail.tries.all()] == [""]
