"""The outbox in the admin: what staff see, and sending again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from notifications import outbox
from notifications.messages import Rendered
from notifications.models import Message
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
