"""What the office says about a department."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import PictureField
from hospitals.forms.office import LinesField


class DepartmentForm(forms.Form):
    """Name, description and image. Without a new image the present one stays."""

    name = forms.CharField(
        label=_("Name"), max_length=120, error_messages={"required": _("Enter a name, like Cardiology.")}
    )
    description = LinesField(
        label=_("Description"),
        help_text=_("What patients come here for, in plain words."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5, "data-count": 2000}),
    )
    image = PictureField(label=_("Image"), help_text=_("PNG, JPEG, WebP or GIF, at most 5 MB."), required=False)
