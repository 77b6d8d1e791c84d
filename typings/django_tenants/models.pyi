from typing import Any

from django.db import models

class TenantMixin(models.Model):
    auto_create_schema: bool
    auto_drop_schema: bool
    schema_name = models.CharField(max_length=63, unique=True)
    def activate(self) -> None: ...
    @classmethod
    def deactivate(cls) -> None: ...
    def save(self, *args: Any, **kwargs: Any) -> None: ...
    class Meta:
        abstract = True

class DomainMixin(models.Model):
    domain = models.CharField(max_length=253, unique=True)
    is_primary = models.BooleanField()
    class Meta:
        abstract = True
