from django.core.serializers.json import DjangoJSONEncoder
from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_attachments")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="facts",
            field=models.JSONField(
                blank=True,
                db_default=Value({}, models.JSONField()),
                default=dict,
                encoder=DjangoJSONEncoder,
                verbose_name="facts",
            ),
        ),
        # The columns stay as they are: what stands in them was sent, or was drawn by an earlier release.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("notification", "text", "sent_text"),
                migrations.RenameField("notification", "html", "sent_html"),
                migrations.AlterField(
                    model_name="notification",
                    name="sent_text",
                    field=models.TextField(blank=True, db_column="text", verbose_name="text that was sent"),
                ),
                migrations.AlterField(
                    model_name="notification",
                    name="sent_html",
                    field=models.TextField(blank=True, db_column="html", verbose_name="HTML that was sent"),
                ),
            ],
        ),
    ]
