"""What the API takes and gives about the rules of money: rates, promo codes, keys. No secret is ever given."""

from typing import Any

from django.utils.timezone import localdate
from rest_framework import serializers

from accounts.permissions import Permission, may
from billing.models import BillingRules, PromoCode
from billing.models.promos import Standing
from billing.services.rules import Dated


def _may(context: dict[str, Any], **actions: bool) -> list[str]:
    """Which of the possible actions the caller is permitted."""
    request = context["request"]
    can = {name: Permission.MONEY_RULES for name, is_possible in actions.items() if is_possible}
    return may(request._request, request.user, **can)


class RulesShape(serializers.ModelSerializer[BillingRules]):
    """Who the hospital is on its bills, and what its people may do alone."""

    may = serializers.SerializerMethodField()

    class Meta:
        model = BillingRules
        fields = [
            "legal_name", "gstin", "series", "footer", "discount_limit_percent", "discount_cap_percent",
            "refund_limit", "takes_online", "may",
        ]  # fmt: skip

    def get_may(self, rules: BillingRules) -> list[str]:
        """What the caller may do."""
        return _may(self.context, change=True)


class RateIn(serializers.Serializer[Any]):
    """A rate of tax and the day from which it counts: today or later."""

    percent = serializers.DecimalField(5, 2)
    valid_from = serializers.DateField()


class CategoryIn(RateIn):
    """A kind of goods or services, with its first rate."""

    name = serializers.CharField(max_length=80)
    hsn_sac = serializers.CharField(max_length=8)


class RateOut(serializers.Serializer[Dated]):
    """A rate of tax. Only one that no bill carries may be removed."""

    id = serializers.UUIDField(source="rate.code")
    percent = serializers.DecimalField(5, 2, source="rate.percent")
    valid_from = serializers.DateField(source="rate.valid_from")
    is_current = serializers.BooleanField()
    may = serializers.SerializerMethodField()

    def get_may(self, dated: Dated) -> list[str]:
        """What the caller may do with it now."""
        return _may(self.context, remove=dated.is_removable)


class CategoryOut(serializers.Serializer[Any]):
    """A kind of goods or services with its rates, the newest first. `key` is what a line of a bill names as its tax."""

    id = serializers.UUIDField(source="category.code")
    key = serializers.CharField(source="category.key")
    name = serializers.CharField(source="category.name")
    hsn_sac = serializers.CharField(source="category.hsn_sac")
    rates = RateOut(many=True)
    may = serializers.SerializerMethodField()

    def get_may(self, shown: Any) -> list[str]:
        """What the caller may do with it now."""
        return _may(self.context, add_rate=True)


class PromoTermsIn(serializers.Serializer[Any]):
    """When and how often a code counts. What is left out or null is not limited."""

    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    first_date = serializers.DateField()
    last_date = serializers.DateField(required=False, allow_null=True)
    minimum = serializers.DecimalField(10, 2, required=False)
    cap = serializers.DecimalField(10, 2, required=False, allow_null=True)
    most_uses = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    most_uses_each = serializers.IntegerField(min_value=1, required=False, allow_null=True)


class PromoIn(PromoTermsIn):
    """A code: its word, and whether it takes `worth` percent or rupees off."""

    word = serializers.CharField(max_length=24)
    kind = serializers.ChoiceField(["percent", "amount"])
    worth = serializers.DecimalField(10, 2)


class PromoOut(serializers.ModelSerializer[PromoCode]):
    """A promo code. `uses` counts the bills that carry it."""

    id = serializers.UUIDField(source="code")
    standing = serializers.SerializerMethodField()
    uses = serializers.IntegerField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = PromoCode
        fields = [
            "id", "word", "description", "percent", "amount", "cap", "minimum", "first_date", "last_date", "most_uses",
            "most_uses_each", "uses", "standing", "created_at", "may",
        ]  # fmt: skip

    def get_standing(self, promo: PromoCode) -> Standing:
        """How it stands today: counts, planned, used_up, over or stopped."""
        return promo.standing(localdate(), uses=promo.uses)  # type: ignore[attr-defined]  # by with_uses

    def get_may(self, promo: PromoCode) -> list[str]:
        """What the caller may do with it now."""
        return _may(self.context, change=True, stop=promo.is_active, resume=not promo.is_active)


class ProofIn(serializers.Serializer[Any]):
    """That it is still the admin who asks: the password, or a code of their second factor."""

    password = serializers.CharField(write_only=True, required=False, max_length=128, trim_whitespace=False)
    code = serializers.CharField(write_only=True, required=False, max_length=20)


class WebhookSecretIn(ProofIn):
    """Another secret that messages are signed with."""

    webhook_secret = serializers.CharField(write_only=True, max_length=200)


class KeysIn(WebhookSecretIn):
    """A key with its secret, and the secret that messages are signed with. They are never given back."""

    key_id = serializers.CharField(max_length=60)
    key_secret = serializers.CharField(write_only=True, max_length=200)


class KeysOut(serializers.Serializer[Any]):
    """Whose keys are used: `own`, `platform` or `none`; and what to set up in Razorpay's dashboard.

    `key` is the end of the own key's id. `is_test`: no money moves.
    """

    in_use = serializers.ChoiceField(["own", "platform", "none"])
    key = serializers.CharField(allow_null=True)
    is_test = serializers.BooleanField()
    takes_online = serializers.BooleanField()
    previous_secret_until = serializers.DateTimeField(allow_null=True)
    last_message_at = serializers.DateTimeField(allow_null=True)
    webhook_url = serializers.URLField()
    events = serializers.ListField(child=serializers.CharField())
    may = serializers.ListField(child=serializers.CharField())
