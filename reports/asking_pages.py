"""The page that asks for a report: choose, see it at once, take it along as a file, have it come by itself.

choose (GET; each change asks again) → files (GET, the same query string)
                                     ↘ make (POST): files that take long are made by a worker
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from reports import answering, as_page, asking, rendering, scheduling
from reports.asking_form import Form
from reports.periods import Period
from reports.questions import Question
from reports.rendering import Format
from reports.results import Answer
from shop.models import Order
from shop.printing.printer import NotPrinted

_FORMATS = {
    Format.CSV: "CSV",
    Format.XLSX: "Excel",
    Format.PDF: "PDF",
    Format.HTML: "Web page",
    Format.JSON: "JSON",
}


def urls() -> list[URLPattern]:
    """To be put before those of the reports made."""
    pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
        "ask": ("ask/", choose),
        "ask_make": ("ask/make/", make),
        "ask_file": ("ask/<str:format>/", file),
    }
    return [
        path(route, admin.site.admin_view(_guarded(view)), name=f"reports_reportrun_{name}")
        for name, (route, view) in pages.items()
    ]


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm("reports.view_reportrun"):
            raise PermissionDenied
        return view(request, **kwargs)

    return update_wrapper(guarded, view)


@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """The form and the report that it asks for. HTMX, which asks at each change, gets no frame."""
    form, shown = Form.read(request.GET.dict(), now=timezone.now()), dict[str, Any]()
    if form.question:
        shown = _offered(request, form, form.question)
        try:
            answer = answering.answer(form.question, within=settings.REPORT_PAGE_SECONDS)
            shown |= _shown(form, answer)
        except ValueError as error:
            form = form.failed(str(error))
        except answering.TakesLongError:
            shown["takes_long"] = True
    return _page(request, form, shown)


def _page(request: HttpRequest, form: Form, shown: dict[str, Any]) -> HttpResponse:
    is_part = getattr(request, "htmx", False)
    frame = {} if is_part else admin.site.each_context(request)
    context = {**frame, "title": "Reports", "form": form, "is_part": is_part, **shown}
    template = "asked" if is_part else "ask"
    # HTMX would not show what comes with an error's status.
    status = 422 if form.error and not is_part else 200
    response = TemplateResponse(request, f"reports/pages/{template}.html", context, status=status)
    response["Vary"] = "HX-Request"
    return response


def _offered(request: HttpRequest, form: Form, question: Question) -> dict[str, Any]:
    """What is the question's, whatever the answer."""
    return {
        "heading": asking.name_of(form.report.name, question),
        "said": asking.title_of(form.report.name, question),
        "files": _files(form),
        "may_run": request.user.has_perm("reports.run_report"),
        "may_schedule": request.user.has_perm("reports.add_reportschedule"),
    }


def _files(form: Form) -> list[tuple[str, str, str]]:
    """Format, its label and address of each download."""
    return [
        (format.value, label, f"{reverse('admin:reports_reportrun_ask_file', args=[format])}?{form.query}")
        for format, label in _FORMATS.items()
    ]


def _shown(form: Form, answer: Answer) -> dict[str, Any]:
    lines = asking.lines_of(answer)
    is_long = lines > settings.REPORT_DOWNLOAD_LINES
    whole = "" if is_long else _files(form)[0][2]
    return {
        "answer": answer,
        "lines": lines if is_long else 0,
        "hints": asking.hints(answer.question, is_empty=answer.is_empty),
        "report": "" if answer.is_empty else as_page.fragment(answer, whole=whole),
        "latest": _latest(answer.question.period) if answer.is_empty else None,
    }


def _latest(asked: Period) -> Any:
    """The last day with a sale, by the clock of what was asked: the way out of days without any."""
    moment = Order.objects.aggregate(at=Max("paid_at"))["at"]
    return moment.astimezone(asked.zone).date() if moment else None


@require_GET
def file(request: HttpRequest, format: str) -> HttpResponse | FileResponse:
    """The report as an attachment; back to the page where there can't be one, or not at once."""
    if format not in Format:
        raise Http404
    form = Form.read(request.GET.dict(), now=timezone.now())
    back = HttpResponseRedirect(f"{reverse('admin:reports_reportrun_ask')}?{form.query}")
    if form.question is None:
        return back
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        answer = answering.answer(form.question, within=settings.REPORT_PAGE_SECONDS)
        if asking.lines_of(answer) > settings.REPORT_DOWNLOAD_LINES:
            messages.info(request, "This one takes long. Have it made below.")
            return back
        rendering.render(answer, Format(format), out)
    except answering.TakesLongError:
        return back  # whose page offers to have it made
    except (ValueError, NotPrinted) as error:
        messages.error(request, str(error))
        return back
    out.seek(0)
    name = rendering.file_name(answer, Format(format))
    return FileResponse(out, as_attachment=True, filename=name, content_type=Format(format).media_type)


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Have a worker make the file, and show how far it is. Its mail goes to whoever asked."""
    user: Any = request.user
    if not user.has_perm("reports.run_report"):
        raise PermissionDenied
    format, form = request.POST.get("format", ""), Form.read(request.POST.dict(), now=timezone.now())
    if form.question is None or format not in Format:
        return HttpResponseRedirect(f"{reverse('admin:reports_reportrun_ask')}?{form.query}")
    title = asking.title_of(form.report.name, form.question)
    to = [user.email] if user.email else []
    run = scheduling.ask(form.question, title=title, formats=[format], owner=user, to=to)
    return HttpResponseRedirect(reverse("admin:reports_reportrun_change", args=[run.pk]))
