"""Where the gateway tells what happened."""

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.permissions import Permission, requires
from billing.services import webhooks
from billing.services.webhooks import LARGEST, Message
from core.http import Request


@csrf_exempt
@require_POST
@requires(Permission.PUBLIC)
def razorpay(request: Request) -> HttpResponse:
    """Razorpay tells of payments and refunds. Anybody may knock; what counts is only what it has signed."""
    message = Message(
        body=request.read(LARGEST + 1),
        signature=request.headers.get("X-Razorpay-Signature", ""),
        event_id=request.headers.get("X-Razorpay-Event-Id", ""),
    )
    is_taken = webhooks.receive(hospital=request.hospital, message=message, now=now())
    return HttpResponse(status=200 if is_taken else 400)
