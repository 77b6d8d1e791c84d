from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="attachment",
            field=models.CharField(blank=True, db_default="", default="", max_length=80, verbose_name="made of"),
        ),
        migrations.AddField(
            model_name="notification",
            name="attachment_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=120, verbose_name="attached"),
        ),
    ]
