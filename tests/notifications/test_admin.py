"""The outbox in the admin: what staff see, and sending again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse, reverse_lazy
from django.utils.html import escape

from notifications import account_mail, holding, kinds, outbox
from notifications.kinds import Kind
from notifications.messages import Rendered
from notifications.models import Message, Suppression
from tests.notifications.conftest import Provider, attempt
from tests.shop.factories import a_product
from tests.shop.orders import an_order
from tests.shop.staffing import page_of, staff

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:notifications_message_changelist"


def page(message: Message) -> str:
    return reverse("admin:notifications_message_change", args=[message.pk])


def resend_page(message: Message) -> str:
    return reverse("admin:notifications_message_send_this_again", args=[message.pk])


@pytest.fixture
def viewer(client: Client) -> Client:
    """A staff member who may look at messages and no more."""
    user = get_user_model().objects.create(username="viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(user)
    return client


def test_list_shows_state_subject_and_recipient(admin_client: Client, message: Message) -> None:
    html = admin_client.get(reverse(LIST)).content.decode()

    assert message.subject in html
    assert message.recipient in html
    assert "waiting" in html


@pytest.mark.parametrize("query", ["?q=99,500", "?q=import/{run}", "?state__exact=queued"])
def test_list_finds_a_message(admin_client: Client, message: Message, query: str) -> None:
    found = admin_client.get(reverse(LIST) + query.format(run=message.about.split("/")[1]))

    assert list(found.context["cl"].queryset) == [message]


def test_page_shows_text_headers_and_a_frame_that_may_run_nothing(
    admin_client: Client, provider: Provider, message: Message
) -> None:
    attempt(message)

    html = admin_client.get(page(message)).content.decode()

    assert f'srcdoc="{escape(message.html)}" sandbox="allow-popups allow-popups-to-escape-sandbox"' in html
    assert escape(message.text) in html
    assert escape(f"Message-ID: {message.message_id}") in html
    assert "250 Taken as 4711" in html


def test_page_shows_why_a_message_failed(admin_client: Client, provider: Provider, message: Message) -> None:
    provider.on_recipient = ["550 No such mailbox"]
    attempt(message)

    assert "550 No such mailbox" in admin_client.get(page(message)).content.decode()


def test_page_says_when_a_mail_may_have_arrived_twice(
    admin_client: Client, provider: Provider, message: Message
) -> None:
    provider.hang_up_after_text = 1
    attempt(message)
    attempt(message)

    assert "sent, perhaps twice" in admin_client.get(page(message)).content.decode()


def test_message_can_not_be_changed_or_deleted(admin_client: Client, message: Message) -> None:
    answers = [
        admin_client.post(address, {"subject": "x", "post": "yes"}).status_code
        for address in (page(message), page(message).replace("change", "delete"), f"{reverse(LIST)}add/")
    ]

    assert answers == [403, 403, 403]


def test_send_again_from_the_page_asks_first(
    admin_client: Client, provider: Provider, message: Message
) -> None:
    attempt(message)

    asked = admin_client.get(resend_page(message))

    assert "Send this message again?" in asked.content.decode()
    assert Message.objects.count() == 1
    sent = admin_client.post(resend_page(message), {"_form_submitted": "True"})
    again = Message.objects.get(resend_of=message)
    assert sent.url == page(again)
    assert f"message {again.pk}</a>" in admin_client.get(page(message)).content.decode()


def test_send_again_inside_a_dialog_leads_the_whole_page_on(
    admin_client: Client, provider: Provider, message: Message
) -> None:
    attempt(message)

    sent = admin_client.post(
        resend_page(message), {"_form_submitted": "True"}, headers={"HX-Request": "true"}
    )

    assert sent["HX-Redirect"] == page(Message.objects.get(resend_of=message))


def test_send_again_from_the_list_skips_what_is_on_its_way(
    admin_client: Client, provider: Provider, message: Message
) -> None:
    attempt(message)
    content = Rendered("Another", "text", "")
    (waiting,) = outbox.write(kind="x", event="x", about="x", recipients=["x@y.example"], content=content)
    form: dict[str, Any] = {"action": "send_again", "_selected_action": [message.pk, waiting.pk]}

    told = admin_client.post(reverse(LIST), form, follow=True)

    assert [str(note) for note in told.context["messages"]] == [
        f"Message {waiting.pk} is still on its way; it is tried again by itself.",
        "1 sent again, each as a new message.",
    ]
    assert [again.resend_of for again in Message.objects.filter(resend_of__isnull=False)] == [message]


def test_viewer_may_look_but_not_send(viewer: Client, provider: Provider, message: Message) -> None:
    attempt(message)

    shown = viewer.get(page(message)).content.decode()

    assert message.subject in shown
    assert "Send again" not in shown
    assert viewer.post(resend_page(message), {"_form_submitted": "True"}).status_code == 403
    viewer.post(reverse(LIST), {"action": "send_again", "_selected_action": [message.pk]})
    assert Message.objects.count() == 1


def test_outsider_is_sent_to_the_login(client: Client, message: Message) -> None:
    answer = client.get(page(message))

    assert answer.url == f"{reverse('admin:login')}?next={page(message)}"


def test_order_leads_to_its_mails_and_they_lead_back(admin_client: Client, provider: Provider) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    other = an_order({"KNIFE": 1})
    mail = Message.objects.get(about=order.subject)
    provider.on_recipient = ["550 No such mailbox"]
    attempt(mail)

    shown = admin_client.get(page_of(order)).text

    assert f'href="{page(mail)}">{mail.subject}</a>' in shown
    assert ("550 No such mailbox" in shown, other.subject in shown) == (True, False)
    assert f'href="{page_of(order)}">{order.subject}</a>' in admin_client.get(page(mail)).text


def test_order_shows_its_mails_only_to_those_who_may_see_them() -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    subject = Message.objects.get().subject

    blind, sighted = staff("view_order"), staff("view_order", "view_message", name="sighted")

    assert [subject in one.get(page_of(order)).text for one in (blind, sighted)] == [False, True]


def test_message_about_nothing_that_has_a_page_is_shown(admin_client: Client, message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(about="order/99999999")

    assert "order/99999999" in admin_client.get(page(message)).text


def staff_member(*permissions: str) -> Client:
    """The browser of `clerk`, whose own address is clerk@shop.example."""
    client = staff(*permissions)
    get_user_model().objects.filter(username="clerk").update(email="clerk@shop.example")
    return client


def elsewhere(message: Message) -> str:
    return reverse("admin:notifications_message_send_elsewhere", args=[message.pk])


def test_message_is_sent_to_the_right_address_and_says_by_whom(provider: Provider, message: Message) -> None:
    provider.on_recipient = ["550 No such mailbox"]
    attempt(message)
    clerk = staff_member("view_message", "add_message")

    asked = clerk.get(elsewhere(message)).content.decode()
    refused = clerk.post(elsewhere(message), {"_form_submitted": "True", "recipient": "nowhere"})
    clerk.post(elsewhere(message), {"_form_submitted": "True", "recipient": " kim@example.com "})

    assert f'value="{message.recipient}"' in asked
    assert "nowhere is not a mail address" in refused.content.decode()
    again = Message.objects.get(resend_of=message)
    attempt(again)
    assert (again.recipient, again.by, again.state) == ("kim@example.com", "clerk", "sent")
    shown = clerk.get(page(message)).content.decode()
    assert "550 No such mailbox" in shown
    logged = LogEntry.objects.get(object_id=str(again.pk))
    assert logged.change_message == f"Sent again from message {message.pk} to another address"


def test_address_of_the_order_is_corrected_with_it_by_whoever_may_change_orders(provider: Provider) -> None:
    a_product(sku="KNIFE", stock=9)
    orders = [an_order({"KNIFE": 1}) for _ in range(3)]
    may = staff("view_message", "add_message", "change_order")
    may_not = staff("view_message", "add_message", name="other")
    asked = [(may, {"for_order": "on"}), (may, {}), (may_not, {"for_order": "on"})]
    for order, (client, more) in zip(orders, asked, strict=True):
        mail = Message.objects.get(about=order.subject)
        attempt(mail)
        client.post(elsewhere(mail), {"_form_submitted": "True", "recipient": "kim@home.example", **more})
        order.refresh_from_db()

    assert [order.email for order in orders] == ["kim@home.example", "kim@example.com", "kim@example.com"]
    assert LogEntry.objects.get(object_id=str(orders[0].pk)).change_message == "E-mail address corrected"


def test_mail_about_an_account_is_not_offered_to_other_addresses(provider: Provider) -> None:
    message = account_mail.write(what="x", to="boss@shop.example", subject="Link", text="https://x.example/k")
    attempt(message)
    clerk = staff_member("view_message", "add_message")

    shown = clerk.get(page(message)).content.decode()
    answer = clerk.post(elsewhere(message), {"_form_submitted": "True", "recipient": "clerk@shop.example"})

    assert ("Send again" in shown, "Correct the address" in shown) == (True, False)
    assert (answer.status_code, Message.objects.count()) == (403, 1)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("q=10001", False),
        ("q=order/{number}", True),
        ("q={number}", True),
        ("q=KIM@exam", True),
        ("q=im@example", False),
        ("q=%3Cmessage-{pk}.order_placed@x%3E", True),
        ("kind=order_placed", True),
        ("kind=order_paid", False),
        ("state__exact=failed", False),
        ("fate__exact=bounced", False),
        ("created_at_from=2020-01-01&created_at_to=2020-01-02", False),
        ("created_at_from=2020-01-01", True),
    ],
)
def test_list_finds_by_number_address_kind_and_day(admin_client: Client, query: str, finds: bool) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    mail = Message.objects.get()

    found = admin_client.get(f"{reverse(LIST)}?{query.format(number=order.number, pk=mail.pk)}")

    assert list(found.context["cl"].queryset) == ([mail] if finds else [])


def kind_page(name: str) -> str:
    return reverse("admin:notifications_kind", args=[name])


def test_every_kind_has_a_page_with_each_of_its_samples(admin_client: Client) -> None:
    shown = admin_client.get(reverse("admin:notifications_kindswitch_changelist")).text

    for kind in kinds.every():
        assert f'href="{kind_page(kind.name)}">{kind.title}</a>' in shown
        for shape, sample in kind.samples.items():
            answer = admin_client.get(kind_page(kind.name), {"sample": shape, "language": "en"})
            assert escape(sample("en").subject) in answer.text
    assert admin_client.get(kind_page("nothing")).status_code == 404


def test_page_of_a_kind_says_what_is_wrong_with_its_templates(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Kind("broken", "Broken", "", {"One": lambda language: 1 / 0})  # type: ignore[arg-type,return-value]
    monkeypatch.setitem(kinds._kinds, "broken", broken)

    assert "ZeroDivisionError: division by zero" in admin_client.get(kind_page("broken")).text


def test_switching_a_kind_takes_a_permission_and_a_reason_and_says_who() -> None:
    looker = staff("view_kindswitch", name="looker")
    clerk = staff_member("view_kindswitch", "add_kindswitch")
    off = {"do": "off", "note": "Too many"}

    answers = [
        looker.post(kind_page("order_paid"), off).status_code,
        clerk.post(kind_page("order_paid"), {"do": "off"}).status_code,
        clerk.post(kind_page("order_paid"), off).status_code,
        clerk.post(kind_page("account"), off).status_code,
    ]

    assert answers == [403, 422, 302, 422]
    shown = looker.get(kind_page("order_paid")).text
    assert ("by clerk: Too many" in shown, "Switch it on" in shown) == (True, False)
    assert LogEntry.objects.get().change_message == "Order paid: switched off"


def test_sample_is_sent_to_oneself(provider: Provider) -> None:
    clerk = staff_member("view_kindswitch", "add_message")
    looker = staff("view_kindswitch", name="looker")

    refused = looker.post(kind_page("order_shipped"), {"do": "send"})
    clerk.post(kind_page("order_shipped"), {"do": "send", "sample": "A part", "language": "en"})
    message = Message.objects.get()
    attempt(message)

    assert refused.status_code == 403
    assert (message.recipient, message.by, message.about) == ("clerk@shop.example", "clerk", "sample")
    assert provider.mails[0]["Subject"] == "Part of order 10001 is on its way"


ADD = reverse_lazy("admin:notifications_suppression_add")


def lift_page(row: Suppression) -> str:
    return reverse("admin:notifications_suppression_lift", args=[row.pk])


def test_staff_hold_an_address_back_and_lift_it_each_with_a_reason() -> None:
    clerk = staff_member("view_suppression", "add_suppression", "change_suppression")
    adder = staff("view_suppression", "add_suppression", name="adder")
    wanted = {"address": "Kim@Example.com", "scope": "all", "note": "Asked for it by phone"}

    said = [
        clerk.post(ADD, {**wanted, **wrong}).status_code for wrong in ({"note": ""}, {"address": "x"}, {})
    ]

    assert said == [200, 200, 302]
    row = Suppression.objects.get()
    assert (row.address, row.why, row.by, row.note) == (
        "kim@example.com",
        "staff",
        "clerk",
        "Asked for it by phone",
    )
    assert "is on the list already" in clerk.post(ADD, wanted).text
    form = {"_form_submitted": "True", "note": "Called again"}
    assert adder.post(lift_page(row), form).status_code == 403
    assert clerk.post(lift_page(row), {"_form_submitted": "True"}).status_code == 200
    clerk.post(lift_page(row), form)
    row.refresh_from_db()
    assert (row.lifted_by, row.lifted_note, row.lifted_at is not None) == ("clerk", "Called again", True)
    shown = clerk.get(reverse("admin:notifications_suppression_change", args=[row.pk])).text
    assert ("Called again" in shown, "Write to it again" in shown) == (True, False)
    logged = sorted(LogEntry.objects.values_list("user__username", "change_message"))
    assert logged == [("clerk", "Lifted"), ("clerk", '[{"added": {}}]')]


def test_page_of_a_message_says_that_its_address_is_held_back(admin_client: Client, message: Message) -> None:
    row = holding.hold_back(message.recipient, why=Suppression.Why.STAFF, scope=Suppression.Scope.ALL)
    assert row is not None

    shown = admin_client.get(page(message)).text

    assert f'href="{reverse("admin:notifications_suppression_change", args=[row.pk])}"' in shown
    assert "staff put it on the list" in shown
