"""Staff and the mails, in a real browser: from one that failed to the one that arrives; the pages, by axe."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import FINE, seen
from tests.notifications.conftest import MailServer, Provider
from tests.stack import Stack

OUTBOX = "notifications/message/"
_WRITE = """
from notifications import kinds, outbox
content = kinds.named("order_paid").samples["Paid"]("en")
outbox.write(kind="order_paid", event="order/10001/paid", about="order/10001",
             recipients=["kim@exampel.com"], content=content)
"""
_PERMISSIONS = """
INSERT INTO auth_user_user_permissions (user_id, permission_id)
SELECT u.id, p.id FROM auth_user u, auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
WHERE u.username = 'staff' AND t.app_label = 'notifications'
"""


class Choosy(Provider):
    """Knows no `exampel.com`."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.endswith("@exampel.com"):
            return "550 5.1.2 There is no exampel.com"
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def provider(stack: Stack) -> Iterator[Provider]:
    """A mail server that the stack's worker sends to; asked for before the stack runs."""
    handler = Choosy()
    server = MailServer(handler)
    server.start()
    stack.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{server.port}"
    yield handler
    server.stop()


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A web server that nobody should ask for anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_staff_find_a_failed_message_correct_its_address_and_see_it_sent(
    provider: Provider, elsewhere: socket.socket, visit: Visit, stack: Stack
) -> None:
    stack.sql(_PERMISSIONS)
    done = stack.manage("shell", "-c", _WRITE)
    assert done.returncode == 0, done.stderr
    stack.wait_for(lambda: stack.sql("SELECT 1 FROM notifications_message WHERE state = 'failed'"))
    # What a mail may bring: a frame must not fetch it.
    picture = f'<img src="http://127.0.0.1:{elsewhere.getsockname()[1]}/seen.gif">'
    stack.sql("UPDATE notifications_message SET html = html || %s", [picture])
    page = visit(OUTBOX)

    expect(page.locator("#result_list").get_by_text("failed")).to_be_visible()
    found = {"outbox": seen(page, "#changelist-form")}
    page.get_by_role("link", name="Order 10001 is paid").click()
    expect(page.locator("main").get_by_text("550 5.1.2 There is no exampel.com").first).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Thank you")).to_be_visible()
    found["message"] = seen(page, ".tally-scroll, .tally-mail")
    page.set_viewport_size({"width": 1400, "height": 900})
    page.get_by_role("link", name="Correct the address").click()
    field = page.get_by_label("Right address")
    expect(field).to_have_value("kim@exampel.com")
    field.fill("kim@example.com")
    page.get_by_role("button", name="Send it there").click()

    expect(page.get_by_text("This is the new message; it is on its way.")).to_be_visible()
    expect(page.locator("main").get_by_text("staff", exact=True)).to_be_visible()
    stack.wait_for(lambda: provider.mails)
    stack.wait_for(lambda: stack.sql("SELECT 1 FROM notifications_message WHERE state = 'sent'"))
    page.reload()
    expect(page.locator("main").get_by_text("sent", exact=True)).to_be_visible()
    expect(page.locator(".tally-scroll")).to_contain_text("250 Taken as 4711")
    assert [str(mail["To"]) for mail in provider.mails] == ["kim@example.com"]

    page.goto("/admin/notifications/kindswitch/")
    page.get_by_role("link", name="Parcel sent").click()
    page.get_by_label("Sample").select_option("A part")
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("heading", name="Part of order 10001 is on its way")).to_be_visible()
    found["kind"] = seen(page)
    page.get_by_label("Why").fill("The carrier writes to them")
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_text("Mails of the kind “Parcel sent” are held back from now on")).to_be_visible()
    page.goto("/admin/notifications/kindswitch/")
    expect(page.get_by_role("row", name="Parcel sent")).to_contain_text(
        "by staff: The carrier writes to them"
    )
    found["kinds"] = seen(page)
    assert found == dict.fromkeys(found, FINE)
    with pytest.raises(BlockingIOError):  # nobody came for the picture
        elsewhere.accept()
