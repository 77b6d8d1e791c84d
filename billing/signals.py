"""What billing tells the rooms above it. Sent after the money is committed; whoever listens must bear hearing it twice."""

from django.dispatch import Signal

# `payment`, `now`: money has arrived for what the payment's invoice is about.
paid = Signal()
# `refund`, `now`: money went back to who paid.
refunded = Signal()
