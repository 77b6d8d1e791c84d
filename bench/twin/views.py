"""A page without the database, one that reads and one that writes."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from hospitals.models import Department
from patients.models import Patient


def ping(request: HttpRequest) -> HttpResponse:
    """Ask nobody."""
    return HttpResponse("pong")


def listing(request: HttpRequest) -> HttpResponse:
    """Fifty patients with their accounts, as the hospital's list shows them."""
    rows = Patient.objects.select_related("user").order_by("pk")[:50]
    return JsonResponse({"patients": [[row.number, row.name, row.user and row.user.email] for row in rows]})


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """Write one row, and let the disk have it."""
    name = uuid4().hex
    Department.objects.create(name=name, slug=name)
    return HttpResponse(status=201)
