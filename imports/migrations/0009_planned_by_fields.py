from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0008_versions_of_chunks")]

    operations = [
        migrations.AddIndex(
            model_name="plannedchange",
            index=models.Index(fields=["run", "fields", "sku"], name="planned_by_fields"),
        ),
    ]
