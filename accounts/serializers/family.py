"""What the endpoints about one's family take and give."""

from rest_framework import serializers

from accounts.models import FamilyMember


class FamilyMemberOut(serializers.ModelSerializer[FamilyMember]):
    """Somebody one looks after. Name the `id` where a visit is booked for them."""

    id = serializers.UUIDField(source="code", read_only=True)
    date_of_birth = serializers.DateField(source="birth_date")
    may = serializers.SerializerMethodField()

    class Meta:
        model = FamilyMember
        fields = ["id", "name", "relation", "date_of_birth", "sex", "may"]

    def get_may(self, member: FamilyMember) -> list[str]:
        """What can be done with the entry."""
        return ["change", "remove"]


class FamilyMemberIn(serializers.Serializer[None]):
    """What is said of somebody; on PATCH only what changes. `birth_date` is understood, too."""

    name = serializers.CharField(max_length=150)
    relation = serializers.CharField()
    date_of_birth = serializers.DateField()
    sex = serializers.CharField()
