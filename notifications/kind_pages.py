"""The kinds of mail in the admin: what each looks like, whether it goes out, a test mail."""

from __future__ import annotations

import traceback
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from notifications import holding, kinds, outbox, showing
from notifications.kinds import Kind
from notifications.messages import Rendered
from notifications.models import KindSwitch, Message

SWITCH = "notifications.add_kindswitch"
SEND = "notifications.add_message"
_SHOWN = 20  # switches of a kind


class SwitchForm(forms.Form):
    """Why a kind is switched."""

    note = forms.CharField(label="Why", max_length=200)


@admin.register(KindSwitch)
class KindSwitchAdmin(ModelAdmin):
    """Its list is that of the kinds, whether or not somebody ever switched one."""

    def get_urls(self) -> list[URLPattern]:
        door = self.admin_site.admin_view(self.kind)
        return [path("kind/<str:name>/", door, name="notifications_kind"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: KindSwitch | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: KindSwitch | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every kind, with the last switch of each."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        switches = holding.switches()
        shown = [(kind, _last_that_counts(kind, switches)) for kind in kinds.every()]
        context = {**self.admin_site.each_context(request), "title": "Kinds of mail", "shown": shown}
        return TemplateResponse(request, "notifications/pages/kinds.html", context)

    def kind(self, request: HttpRequest, name: str) -> HttpResponse:
        """What a kind looks like; switch it, or have a sample sent to oneself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = kinds.named(name)
        if not kind.samples:
            raise Http404(f"There is no kind of mail called {name}.")
        shape, language = _chosen(request, kind)
        form = SwitchForm(request.POST if request.POST.get("do") in ("off", "on") else None)
        if request.method == "POST":
            done = self._done(request, kind, form, shape, language)
            if done:
                query = urlencode({"sample": shape, "language": language})
                return HttpResponseRedirect(f"{reverse('admin:notifications_kind', args=[name])}?{query}")
        status = 422 if request.method == "POST" else 200
        context = {**self.admin_site.each_context(request), **_shown(request, kind, shape, language)}
        context["form"] = form
        return TemplateResponse(request, "notifications/pages/kind.html", context, status=status)

    def _done(self, request: HttpRequest, kind: Kind, form: SwitchForm, shape: str, language: str) -> bool:
        if request.POST.get("do") == "send":
            return self._send_sample(request, kind, shape, language)
        if not request.user.has_perm(SWITCH):
            raise PermissionDenied
        return form.is_valid() and self._switch(request, kind, form.cleaned_data["note"])

    def _switch(self, request: HttpRequest, kind: Kind, note: str) -> bool:
        on = request.POST["do"] == "on"
        try:
            switched = holding.switch(kind.name, on=on, by=request.user.get_username(), note=note)
        except holding.AlwaysOn as reason:
            messages.error(request, str(reason))
            return False
        self.log_addition(request, switched, f"{kind.title}: switched {'on' if on else 'off'}")
        what = "go out again" if on else "are held back from now on, each with the reason"
        messages.success(request, f"Mails of the kind “{kind.title}” {what}.")
        return True

    def _send_sample(self, request: HttpRequest, kind: Kind, shape: str, language: str) -> bool:
        if not request.user.has_perm(SEND):
            raise PermissionDenied
        to, by = request.user.email, request.user.get_username()  # type: ignore[union-attr]
        if not to:
            messages.error(request, "Your own account has no e-mail address to send it to.")
            return False
        message = outbox.write_sample(kind=kind.name, to=to, by=by, content=kind.samples[shape](language))
        if message.state == Message.State.SUPPRESSED:
            messages.warning(request, f"It was not sent. {message.error}")
        else:
            messages.success(request, f"It is on its way to {to}, as message {message.pk}.")
        return True


def _last_that_counts(kind: Kind, switches: dict[str, KindSwitch]) -> KindSwitch | None:
    """The switch that holds the kind back, if there is one."""
    last = switches.get(kind.name)
    return last if kind.can_be_off and last and not last.is_on else None


def _chosen(request: HttpRequest, kind: Kind) -> tuple[str, str]:
    """The sample and the language that were asked for, or the first of each."""
    asked = {**request.GET.dict(), **request.POST.dict()}
    shape = asked.get("sample", "")
    language = asked.get("language", "")
    return (
        shape if shape in kind.samples else next(iter(kind.samples)),
        language if language in settings.MAIL_LANGUAGES else settings.LANGUAGE_CODE,
    )


def _shown(request: HttpRequest, kind: Kind, shape: str, language: str) -> dict[str, Any]:
    rendered, error = _rendered(kind, shape, language)
    is_on = holding.is_on(kind.name)
    return {
        "title": kind.title,
        "kind": kind,
        "shape": shape,
        "language": language,
        "languages": settings.MAIL_LANGUAGES,
        "rendered": rendered,
        "error": error,
        "size": showing.size_of(rendered) if rendered else 0,
        "frame": showing.framed(rendered.html, title="The mail as HTML") if rendered else "",
        "phone": showing.framed(rendered.html, title="The mail on a phone", width=390) if rendered else "",
        "is_on": is_on,
        "switched": list(KindSwitch.objects.filter(kind=kind.name)[:_SHOWN]),
        "may_switch": request.user.has_perm(SWITCH) and (kind.can_be_off or not is_on),
        "may_send": request.user.has_perm(SEND),
    }


def _rendered(kind: Kind, shape: str, language: str) -> tuple[Rendered | None, str]:
    """The sample, or what is wrong with its templates: who mends one looks here first."""
    try:
        return kind.samples[shape](language), ""
    except Exception as error:
        return None, "".join(traceback.format_exception_only(error)).strip()
