"""Hosts of hospitals, proving that a domain is the hospital's own, pauses, and calling off a planned deletion."""

import secrets
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit import services as audit
from audit.models import Action
from core.errors import Conflict, Invalid, NotAllowedNow
from tenants import dns, hosts
from tenants.models import Domain, DomainClaim, Hospital


@transaction.atomic
def assign_subdomain(*, hospital: Hospital) -> Domain:
    """Let the hospital answer on its subdomain."""
    domain = Domain.objects.create(tenant=hospital, domain=hospital.host, is_primary=True)
    hosts.changed(hospital)
    return domain


@transaction.atomic
def claim_domain(*, hospital: Hospital, domain: str, by: AbstractBaseUser) -> DomainClaim:
    """Note that the hospital wants to answer on `domain`; it must then put our value into the DNS."""
    if Domain.objects.filter(domain=domain).exists():
        raise Conflict(_("This domain is already in use on the platform."), field="domain")
    claim, created = DomainClaim.objects.get_or_create(
        hospital=hospital, domain=domain, defaults={"token": secrets.token_urlsafe(24)}
    )
    if not created:
        raise Conflict(_("You have added this domain already. Its TXT value is in the list."), field="domain")
    audit.record(action=Action.DOMAIN_CLAIMED, target=claim, by=by)
    return claim


def verify_domain(*, claim: DomainClaim, by: AbstractBaseUser) -> Domain:
    """Look for our value in the DNS, and serve the hospital on the domain if it is there."""
    found = dns.txt_values(claim.record_name)  # outside of any transaction: the answer may take seconds
    if claim.record_value not in found:
        if not found:
            raise Invalid(
                _("There is no TXT record at %(name)s yet. A new record can take up to an hour to be seen.")
                % {"name": claim.record_name}
            )
        raise Invalid(
            _("The TXT record at %(name)s says “%(found)s”. It must say “%(value)s”.")
            % {"name": claim.record_name, "found": found[0], "value": claim.record_value}
        )
    try:
        with transaction.atomic():
            domain = Domain.objects.create(tenant=claim.hospital, domain=claim.domain, is_primary=False)
            audit.record(action=Action.DOMAIN_VERIFIED, target=domain, by=by)
            claim.delete()
            hosts.changed(claim.hospital)
    except IntegrityError:
        raise Conflict(_("This domain is already in use on the platform.")) from None
    return domain


@transaction.atomic
def drop_claim(*, claim: DomainClaim, by: AbstractBaseUser) -> None:
    """Forget a domain that was not proved."""
    audit.record(action=Action.DOMAIN_REMOVED, target=claim, by=by)
    claim.delete()


@transaction.atomic
def remove_domain(*, domain: Domain, by: AbstractBaseUser) -> None:
    """Stop answering on an own domain. The subdomain stays."""
    if domain.is_primary:
        raise Invalid(_("The subdomain cannot be removed."))
    audit.record(action=Action.DOMAIN_REMOVED, target=domain, by=by)
    hosts.forgotten(domain.domain)
    domain.delete()


@transaction.atomic
def call_off_deletion(*, hospital: Hospital, by: AbstractBaseUser | None, actor: str = "", reason: str = "") -> None:
    """Keep a hospital whose data was to be deleted. It stays suspended; the archive that was made stays where it is."""
    planned = Hospital.objects.filter(pk=hospital.pk, status=Hospital.Status.SUSPENDED, deletion_due_at__isnull=False)
    if not planned.update(deletion_due_at=None, deletion_archive=""):
        raise NotAllowedNow(_("No deletion of %(hospital)s is planned.") % {"hospital": hospital.name})
    hospital.deletion_due_at, hospital.deletion_archive = None, ""
    audit.record(action=Action.HOSPITAL_DELETION_CALLED_OFF, target=hospital, by=by, actor=actor, reason=reason)


@transaction.atomic
def pause(*, hospital: Hospital, why: Hospital.Pause, note: str = "", now: datetime) -> bool:
    """Take the hospital out of service for a moment; within a second its visitors are told to come back soon.

    False if it is out of service already: for another reason, which stays, or for this one, whose note is now `note`.
    """
    if Hospital.objects.filter(pk=hospital.pk, pause=why).update(pause_note=note):
        return False
    if not Hospital.objects.filter(pk=hospital.pk, pause="").update(pause=why, paused_at=now, pause_note=note):
        return False
    hospital.pause, hospital.paused_at, hospital.pause_note = why, now, note
    audit.record(action=Action.HOSPITAL_PAUSED, target=hospital, by=None, reason=str(why.label))
    hosts.changed(hospital)
    return True


@transaction.atomic
def unpause(*, hospital: Hospital, why: Hospital.Pause) -> bool:
    """Put the hospital back into service. False if it was not out of service for this reason."""
    if not Hospital.objects.filter(pk=hospital.pk, pause=why).update(pause="", paused_at=None, pause_note=""):
        return False
    hospital.pause, hospital.paused_at, hospital.pause_note = "", None, ""
    audit.record(action=Action.HOSPITAL_UNPAUSED, target=hospital, by=None, reason=str(why.label))
    hosts.changed(hospital)
    return True
