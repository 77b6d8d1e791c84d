"""Small forms of the superadmin's rooms."""

from django import forms


class Retry(forms.Form):
    """Sending a message again. It has no fields; a refusal of the service stands on it."""
